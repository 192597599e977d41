-- What a call's end teaches. `Lane::settle` of `domain::providers::lane`, for all processes.
-- KEYS: state of the lane, its places.
-- ARGV: 1 caller, 2 when it entered, 3 tokens beyond its wish, 4 interval of tokens or 0, 5 most calls
-- at once, 6 the lesson, 7 its wait or the kind of its complaint, 8 the moment as it was named or the
-- provider's words, 9 whether it is a quota, 10 the constants, 11 the time instead of the server's or
-- an empty text.
local state, places, lesson = KEYS[1], KEYS[2], ARGV[6]
local entered, most = tonumber(ARGV[2]), tonumber(ARGV[5])
local FAILURES, FIRST, LONGEST, ATTENTION, INITIAL = unpack(cjson.decode(ARGV[10]))
local now = tonumber(ARGV[11])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + time[2] / 1000
end
local function text(number) return string.format('%.17g', number) end

local has = redis.call('HMGET', state, 'parked', 'failures', 'limit', 'cut', 'shut_at', 'token', 'named', 'quota')
local parked, failures = tonumber(has[1]) or 0, tonumber(has[2]) or 0
local limit, cut_at, shut_at = tonumber(has[3]) or 0, tonumber(has[4]) or 0, tonumber(has[5]) or 0
local named, quota = has[7] or '0', has[8] or '0'
local function bounded() return math.max(1, math.min(limit > 0 and limit or INITIAL, most)) end

redis.call('ZREMRANGEBYSCORE', places, '-inf', text(now))
local taken = redis.call('ZCARD', places)
redis.call('ZREM', places, ARGV[1])

local surplus, token_interval = tonumber(ARGV[3]), tonumber(ARGV[4])
if token_interval > 0 and surplus ~= 0 then
    redis.call('HSET', state, 'token', text((tonumber(has[6]) or 0) + surplus * token_interval))
end
local function cut()
    if entered >= cut_at then
        limit, cut_at = math.max(1, bounded() / 2), now
        redis.call('HSET', state, 'limit', text(limit), 'cut', text(cut_at))
    end
end
local function park()
    if now + tonumber(ARGV[7]) > parked then
        parked, named, quota = now + tonumber(ARGV[7]), ARGV[8], ARGV[9]
        redis.call('HSET', state, 'parked', text(parked), 'named', named, 'quota', quota)
    end
end
local function reopen()
    if failures > 0 then redis.call('HDEL', state, 'failures', 'shut', 'complaint', 'says') end
end

if lesson == 'answered' then
    reopen()
elseif lesson == 'good' then
    reopen()
    local bound = bounded()
    if taken * 2 >= bound and bound < most then
        limit = math.min(most, bound + (cut_at > 0 and 1 / bound or 1))
        redis.call('HSET', state, 'limit', text(limit))
    end
elseif lesson == 'wait' then
    park()
    if ARGV[9] ~= '1' then cut() end
elseif lesson == 'failed' or lesson == 'failed_until' then
    if lesson == 'failed_until' then park() end
    cut()
    if failures < FAILURES or entered >= shut_at then
        failures = failures + 1
        redis.call('HSET', state, 'failures', failures)
        if failures >= FAILURES then
            local pause = math.min(LONGEST, FIRST * 2 ^ math.min(failures - FAILURES, 20))
            redis.call('HDEL', state, 'complaint', 'says')
            redis.call('HSET', state, 'shut_at', text(now), 'shut', text(now + pause))
        end
    end
elseif lesson == 'complaint' then
    redis.call('HSET', state, 'failures', math.max(failures, FAILURES), 'complaint', ARGV[7], 'says', ARGV[8],
        'shut_at', text(now), 'shut', text(now + ATTENTION))
end
-- Of a lane that nobody uses nothing is kept, and no time that was named is forgotten before it is over.
redis.call('PEXPIRE', state, math.ceil(math.max(86400000, parked - now + 3600000)))
return {text(bounded()), tostring(redis.call('ZCARD', places)), text(parked > now and parked - now or 0), text(parked),
    named, quota}
