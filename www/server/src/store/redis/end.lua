-- Ends a family. Returns whether it was alive.
return finish(ARGV[2])
