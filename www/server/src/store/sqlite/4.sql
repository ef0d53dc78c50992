-- Else a list of a user's sessions would read every token of everybody, once for each of them.
CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family);
