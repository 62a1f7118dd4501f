--[[
  Publishes one event of a channel: deletes the caches that it invalidates, raises the highest published seq, publishes.
  Publishing comes last: if Redis refuses an earlier step, no process sees the event.

  KEYS[1]    the channel's topic
  KEYS[2]    seq:messages:{channelId}: string, no TTL; only ever raised
  KEYS[3..]  cache keys that the event invalidates; after them, those that any event of the channel may invalidate

  ARGV[1]    PUBLISH or SPUBLISH; empty when the event is not published on the channel's topic
  ARGV[2]    the envelope, JSON; empty when it is not published here
  ARGV[3]    the event's seq; empty when it has none
  ARGV[4]    how many of KEYS[3..] the event itself invalidates. When the seq skips some, the events in between were not
             published, and the keys that they invalidate would look current under the raised seq: all are deleted

  Output:    how many connections the topic's message was sent to; 0 when it was not published
]]
local topic, seqKey = KEYS[1], KEYS[2]
local publish, envelope, seq = ARGV[1], ARGV[2], ARGV[3]

local lastKey = 2 + tonumber(ARGV[4])

if seq ~= '' then
  -- A non-numeric value is overwritten: the key only caches the log's head.
  local highest = tonumber(redis.call('GET', seqKey) or '') or 0
  if tonumber(seq) > highest then
    redis.call('SET', seqKey, seq)
  end
  if tonumber(seq) > highest + 1 then
    lastKey = #KEYS
  end
end

for i = 3, lastKey do
  redis.call('DEL', KEYS[i])
end

if publish == '' then
  return 0
end
return redis.call(publish, topic, envelope)
