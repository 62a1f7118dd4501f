--[[
  Ends the load of a caller, and stores what it loaded. Stores nothing if the caller no longer holds the lease: the value
  was deleted during the load, or another caller loads.

  KEYS[1]    cache:{valueName}: string, the value
  KEYS[2]    cache:{valueName}:lease: string, the token of the caller that loads

  ARGV[1]    the token of this caller
  ARGV[2]    TTL in ms; 0 after a failed load: stores nothing
  ARGV[3]    the value

  Output:    1 stored, 0 not stored
]]
if redis.call('MGET', KEYS[2])[1] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] == '0' then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return 1
