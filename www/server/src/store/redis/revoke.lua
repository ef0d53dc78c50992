-- Increases the marks in the arguments after the time.
for index = 2, #ARGV do
    redis.call('INCR', place .. 'mark:' .. ARGV[index])
end
