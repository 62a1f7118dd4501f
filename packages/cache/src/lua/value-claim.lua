--[[
  Reads a cached value, or lets the caller load it. One caller at a time loads; the others wait.

  KEYS[1]    cache:{valueName}: string, the value
  KEYS[2]    cache:{valueName}:lease: string, the token of the caller that loads

  ARGV[1]    the token of this caller
  ARGV[2]    ms after which another caller may load

  Output:    the value
             1 this caller loads
             0 another caller loads
]]
-- MGET reads a key of a wrong type as absent, and the fill overwrites it.
local value = redis.call('MGET', KEYS[1])[1]
if value then return value end
return redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
