--[[
  Publishes events of channels, one after the other. For each event it deletes the caches that the event invalidates,
  raises the highest published seq of the channel, and publishes on the event's topics. Publishing comes last: if Redis
  refuses an earlier step, no process sees the event or a later one. The same call may be repeated.

  KEYS       for each event: seq:messages:{channelId} (string, no TTL; only ever raised); the cache keys that the event
             invalidates; the cache keys that any event of the channel may invalidate; the event's topics

  ARGV[1]    PUBLISH or SPUBLISH
  ARGV[2..]  for each event: the envelope, JSON; its seq, or empty when it has none; the numbers of its keys of the
             second, third and fourth kind. If the seq skips some, the events in between were not published. The keys
             that they invalidate would look current under the raised seq, so the keys of the third kind are deleted too

  Output:    how many connections the messages were sent to
]]
local publish = ARGV[1]
local receivers, key = 0, 1

for arg = 2, #ARGV, 5 do
  local envelope, seq = ARGV[arg], ARGV[arg + 1]
  local invalidates, onGap, topics = tonumber(ARGV[arg + 2]), tonumber(ARGV[arg + 3]), tonumber(ARGV[arg + 4])
  local outdated = invalidates

  if seq ~= '' then
    -- Overwrites a non-numeric value, because the key only caches the log's head.
    local highest = tonumber(redis.call('GET', KEYS[key]) or '') or 0
    if tonumber(seq) > highest then
      redis.call('SET', KEYS[key], seq)
    end
    if tonumber(seq) > highest + 1 then
      outdated = invalidates + onGap
    end
  end

  if outdated > 0 then
    redis.call('DEL', unpack(KEYS, key + 1, key + outdated))
  end
  local firstTopic = key + invalidates + onGap + 1
  for topic = firstTopic, firstTopic + topics - 1 do
    receivers = receivers + redis.call(publish, KEYS[topic], envelope)
  end
  key = firstTopic + topics
end

return receivers
