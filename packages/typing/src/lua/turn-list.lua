-- Lists turns whose lease runs, those that end last first. Writes nothing.
-- KEYS[1] turns, zset: agentId, or agentId:threadId in a thread -> end of the lease, ms  [2] states, hash: member -> turn
-- ARGV[1] now, ms; empty: the time of Redis  [2] the most turns  [3..] members, or none: all
-- Output: {now, member, end of the lease, turn, ...}
local turns, states, now, max = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local members = {}
for i = 3, #ARGV do members[#members + 1] = ARGV[i] end
if #members == 0 then
  local after = '(' .. string.format('%.0f', now)
  local running = redis.call('ZRANGEBYSCORE', turns, after, '+inf')
  for i = #running, math.max(1, #running - max + 1), -1 do members[#members + 1] = running[i] end
end
local list = { now }
for _, member in ipairs(members) do
  local till = tonumber(redis.call('ZSCORE', turns, member) or 0)
  local turn = till > now and redis.call('HMGET', states, member)[1]
  if turn then
    list[#list + 1] = member
    list[#list + 1] = till
    list[#list + 1] = turn
  end
end
return list
