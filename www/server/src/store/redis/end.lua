-- Ends a family. Whether it lived.
return finish(ARGV[2])
