-- One page of the agents that a lease holds in one channel, in the order of their ids. Writes nothing.
-- KEYS[1..2] as in leases.lua
-- ARGV[1..5] as in leases.lua  [6] cursor: the agentId before the page, or ''  [7] limit  [8] agents to look at, at most
-- ARGV[9] '1': an ended lease that nobody reaped yet holds too
-- Output: {live leases in the channel, cursor of the next page or '', {agentId, ...}, now}
local limit, look, after = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1' and 0 or now
local found, looked, last, nextCursor = {}, 0, ARGV[6], ''
while true do
  local from = last == '' and '-' or '(' .. last .. '!'
  local entry = redis.call('ZRANGEBYLEX', agents, from, '+', 'LIMIT', 0, 1)[1]
  if not entry then break end
  if #found == limit or looked == look then
    nextCursor = last
    break
  end
  last = agentOf(entry)
  looked = looked + 1
  if heldUntil(last, after) then found[#found + 1] = last end
end
return { redis.call('ZCOUNT', roster, '(' .. string.format('%.0f', now), '+inf'), nextCursor, found, now }
