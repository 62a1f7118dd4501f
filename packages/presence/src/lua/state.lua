-- Stands after leases.lua in the scripts that write: an agent's state {status, customStatus, avatar}, '' for null.
-- In the hash a null field is absent.
local function readState(hash)
  local state = redis.call('HMGET', hash, 'status', 'customStatus', 'avatar', 'lastSeen')
  if not state[1] then return nil end
  return { state[1], state[2] or '', state[3] or '', state[4] or now }
end

local function writeState(hash, agent, state)
  redis.call('DEL', hash)
  redis.call('HSET', hash, 'agentId', agent, 'status', state[1], 'lastSeen', now)
  if state[2] ~= '' then redis.call('HSET', hash, 'customStatus', state[2]) end
  if state[3] ~= '' then redis.call('HSET', hash, 'avatar', state[3]) end
  redis.call('PEXPIRE', hash, hashMs)
end

local function same(a, b)
  return a ~= nil and a[1] == b[1] and a[2] == b[2] and a[3] == b[3]
end

-- Takes one lease away. If it was the agent's last, so go its hash and whatever has expired of its leases, and the
-- agent's last record comes back: nobody else will report it. `seen` stands for lastSeen if the hash was evicted.
local function release(member, hash, seen)
  if redis.call('ZREM', roster, member) == 0 then return nil end
  redis.call('ZREM', agents, entryOf(member))
  local agent = agentOf(member)
  if heldUntil(agent, goneAt) then return nil end
  for _, entry in ipairs(entriesOf(agent, '[' .. agent .. ' ', -1)) do
    redis.call('ZREM', agents, entry)
    redis.call('ZREM', roster, (string.gsub(entry, ' ', ':')))
  end
  local state = readState(hash) or { '', '', '', seen }
  redis.call('DEL', hash)
  return { agent, 'offline', state[2], state[3], state[4] }
end
