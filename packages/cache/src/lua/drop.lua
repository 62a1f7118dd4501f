--[[
  Deletes the cache of a channel whose head the caller knows from the log. Raising the seq in the same step prevents the
  fill of every reader that loaded before.

  KEYS[1]    seq:messages:{channelId}: string, the highest published seq, no TTL; only ever raised
  KEYS[2..]  the channel's cache keys

  ARGV[1]    the channel's head

  Output:    how many of the cache keys existed
]]
local seqKey, head = KEYS[1], ARGV[1]

local published = tonumber(redis.call('GET', seqKey) or '')
if not published or published < tonumber(head) then
  redis.call('SET', seqKey, head)
end
return redis.call('DEL', unpack(KEYS, 2))
