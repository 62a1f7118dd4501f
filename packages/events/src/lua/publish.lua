--[[
  Tells the world of one event of a channel: drops the caches that it outdates, raises the highest published seq and
  publishes. Publishing comes last: when Redis refuses one of the steps, nobody was told of a half-done one.

  KEYS[1]    the channel's topic
  KEYS[2]    seq:messages:{channelId}: string, no TTL; only ever raised
  KEYS[3..]  cache keys that the event outdates; after them, those that any event may outdate

  ARGV[1]    PUBLISH or SPUBLISH; empty when the event is not published on the channel's topic
  ARGV[2]    the envelope, JSON; empty when it is not published here
  ARGV[3]    the event's seq; empty when it has none
  ARGV[4]    how many of KEYS[3..] the event itself outdates; the rest goes too when the seq skips some: the events in
             between were not published, so what they outdated would look current under the raised seq

  Output:    how many connections the topic's message was sent to; 0 when it was not published
]]
local topic, seqKey = KEYS[1], KEYS[2]
local publish, envelope, seq = ARGV[1], ARGV[2], ARGV[3]

local lastOutdated = 2 + tonumber(ARGV[4])

if seq ~= '' then
  -- What is no number is overwritten: it is a cache of the log's head and nothing else.
  local highest = tonumber(redis.call('GET', seqKey) or '') or 0
  if tonumber(seq) > highest then
    redis.call('SET', seqKey, seq)
  end
  if tonumber(seq) > highest + 1 then
    lastOutdated = #KEYS
  end
end

for i = 3, lastOutdated do
  redis.call('DEL', KEYS[i])
end

if publish == '' then
  return 0
end
return redis.call(publish, topic, envelope)
