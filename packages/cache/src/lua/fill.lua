--[[
  Caches what a reader loaded, only if no event was published since the load: a slow reader must not write back what an
  invalidation removed.

  KEYS[1]    seq:messages:{channelId}: string, the highest published seq, no TTL; only ever raised
  KEYS[2]    the key to fill
  KEYS[3..]  the channel's other cache keys

  ARGV[1]    the channel's head at the load
  ARGV[2]    TTL in ms
  ARGV[3]    string or set
  ARGV[4..]  the value, or the set's members

  Output:    1 filled
             0 not filled: an event was published since the load
            -1 not filled: the seq was unknown or lower. It is raised to the head and all keys are deleted, so that the
               next read fills
]]
local seqKey, key = KEYS[1], KEYS[2]
local head, ttlMs, kind = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local published = tonumber(redis.call('GET', seqKey) or '')
if not published or published < head then
  -- Events up to that head may not have deleted their keys yet, so an existing value may be older than the head.
  redis.call('SET', seqKey, ARGV[1])
  redis.call('DEL', unpack(KEYS, 2))
  return -1
end
if published > head then
  return 0
end

if kind == 'string' then
  redis.call('SET', key, ARGV[4], 'PX', ttlMs)
else
  redis.call('DEL', key)
  -- unpack() fails for more than a few thousand values.
  for first = 4, #ARGV, 1000 do
    redis.call('SADD', key, unpack(ARGV, first, math.min(first + 999, #ARGV)))
  end
  redis.call('PEXPIRE', key, ttlMs)
end
return 1
