-- Lengthens leases of one channel whose hub is alive but cannot renew them, as long as they were not removed.
-- KEYS[1..2] as in leases.lua  KEYS[2+i] presence hash of lease i's agent
-- ARGV[1..5] as in leases.lua, [2] being how long to vouch for; then per lease: member
-- Output: how many were lengthened
mend()
local count = 0
for i = 1, #KEYS - 2 do
  local member = ARGV[5 + i]
  local ends = redis.call('ZSCORE', roster, member)
  if ends and tonumber(ends) < now + leaseMs then
    redis.call('ZADD', roster, now + leaseMs, member)
    redis.call('PEXPIRE', KEYS[2 + i], hashMs)
    count = count + 1
  end
end
keep()
return count
