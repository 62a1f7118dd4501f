-- Lists the agents that are typing, the latest start last, each once. Writes nothing.
-- KEYS[1] typing, zset: agentId, or agentId:threadId in a thread -> its last start, ms
-- ARGV[1] now, ms; empty: the time of Redis  [2] ttlMs  [3] limit
-- ARGV[4] threadId; '': outside of threads; '*': anywhere in the channel
-- Output: {agentId, ...}
local typing, now, ttl, limit, wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
-- An agent can type in several threads, so the script reads more members than it lists agents.
local after = '(' .. string.format('%.0f', now - ttl)
local members = redis.call('ZRANGEBYSCORE', typing, after, '+inf', 'LIMIT', 0, 10 * limit)
local latestFirst, isListed = {}, {}
for i = #members, 1, -1 do
  if #latestFirst == limit then break end
  local agent, thread = string.match(members[i], '^([^:]+):?(.*)$')
  if not isListed[agent] and (wanted == '*' or wanted == thread) then
    isListed[agent] = true
    latestFirst[#latestFirst + 1] = agent
  end
end
local agents = {}
for i = #latestFirst, 1, -1 do agents[#agents + 1] = latestFirst[i] end
return agents
