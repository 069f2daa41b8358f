/* scripts.c: the scripts of the store itself; those of rules lie beside their rules (gv_step_script). Each is run behind the same functions.
 *
 * KEYS: the user's index, then the keys. ARGV: the clock in microseconds (0: the server's; tests have their own), the names of the keys in the
 * index, then the script's own.
 *
 * Times in Redis are milliseconds. With a clock of the tests they are stored as microseconds: to Redis, that is far away, so nothing
 * expires but by that clock, and to the microsecond. T is the time now in that unit, U the microseconds of a unit.
 *
 *     left(i)      what key i has left, in microseconds; 0: it never ends; -1: it is not there
 *     load(i)      value, left, late; nothing: not there; an error table: it is no text. late: it would live longer than it was ever
 *                  given, since the clock was set back, and counts as given now
 *     look()       {0, now, value, left, late, …} of all keys, or an error table; .late: one of them is
 *     put(i, value, ms), keep(i, value), drop(i)      store for so long (0: for ever), keeping its expiry, delete
 *     known(i)     key i was changed by other means */
#include "redis.h"

static const char functions[] =
    "local call, pcall, K, A = redis.call, redis.pcall, KEYS, ARGV\n"
    "local floor, format = math.floor, string.format\n"
    "local now, T, U = tonumber(A[1]), 0, 1\n"
    "if now == 0 then local t = call('TIME') now = t[1] * 1000000 + t[2] U = 1000 end\n"
    "T = floor(now / U)\n"
    "local N = #K - 1\n"
    "local function expires(k) return call('PEXPIRETIME', k) end\n"
    "local function left(i)\n"
    "  local e = expires(K[i + 1])\n"
    "  if e == -1 then return 0 end\n"
    "  if e <= T then return -1 end\n"
    "  return (e - T) * U\n"
    "end\n"
    /* What the index says of a member: when it expires as we stored it, and the span it was given, in units. */
    "local function given(m)\n"
    "  local f = call('HGET', K[1], m)\n"
    "  if not f then return 0, 0 end\n"
    "  local e, s = f:match('^(%d+) (%d+)$')\n"
    "  return tonumber(e) or 0, tonumber(s) or 0\n"
    "end\n"
    "local function tidy()\n"        /* the index loses what is gone, and ends with the last of the rest */
    "  local all, last, base = call('HGETALL', K[1]), 0, K[2] and K[2]:sub(1, #K[2] - #A[2]) or A[2]\n"
    "  for i = 1, #all, 2 do\n"
    "    local e = expires(base .. all[i])\n"
    "    if e == -2 or (e > 0 and e <= T) then call('HDEL', K[1], all[i])\n"
    "    elseif e == -1 then last = -1\n"
    "    elseif last >= 0 and e > last then last = e end\n"
    "  end\n"
    "  if last > 0 then call('PEXPIREAT', K[1], last) elseif last < 0 then call('PERSIST', K[1]) end\n"
    "end\n"
    /* To tidy costs as much as the index is long: when it has doubled, or is short. */
    "local function small() return call('HLEN', K[1]) <= 64 end\n"
    "local function note(m, e, span)\n"
    "  local p = expires(K[1])\n"
    "  local ended = p == -1 and e > 0 and call('HGET', K[1], m) == '0'\n"
    "  local new = call('HSET', K[1], m, e > 0 and format('%.0f %.0f', e, span) or '0')\n"
    "  local n = new == 1 and call('HLEN', K[1]) or 0\n"
    "  if (ended and small()) or (n >= 64 and bit.band(n, n - 1) == 0) then tidy() return end\n"
    "  if e == 0 then if p > 0 then call('PERSIST', K[1]) end\n"
    "  elseif (p > 0 and p < e) or n == 1 then call('PEXPIREAT', K[1], e) end\n"
    "end\n"
    "local function unnote(m)\n"
    "  local f = call('HGET', K[1], m)\n"
    "  call('HDEL', K[1], m)\n"
    "  if f == '0' and expires(K[1]) == -1 and small() then tidy() end\n"
    "end\n"
    "local function load(i)\n"
    "  local v = pcall('GET', K[i + 1])\n"
    "  if not v or type(v) == 'table' then return v end\n"
    "  local e = expires(K[i + 1])\n"
    "  if e == -1 then return v, 0, false end\n"
    "  if e <= T then return false end\n"
    "  local stored, span = given(A[i + 1])\n"
    "  if stored == e and span > 0 and e - T > span then return v, span * U, true end\n"
    "  return v, (e - T) * U, false\n"
    "end\n"
    "local function look()\n"
    "  local s = {0, format('%.0f', now)}\n"
    "  for i = 1, N do\n"
    "    local v, l, late = load(i)\n"
    "    if type(v) == 'table' then return v end\n"
    "    s[3 * i], s[3 * i + 1], s[3 * i + 2] = v or false, l and format('%.0f', l) or '0', late and 1 or 0\n"
    "    s.late = s.late or late\n"
    "  end\n"
    "  return s\n"
    "end\n"
    "local function put(i, v, ms)\n"
    "  if ms == 0 then call('SET', K[i + 1], v) note(A[i + 1], 0, 0) return end\n"
    "  local span = ms * 1000 / U\n"
    "  call('SET', K[i + 1], v, 'PXAT', T + span)\n"
    "  note(A[i + 1], T + span, span)\n"
    "end\n"
    "local function known(i)\n"        /* a key that others made comes into the index */
    "  if call('HEXISTS', K[1], A[i + 1]) == 0 then local e = expires(K[i + 1]) note(A[i + 1], e > 0 and e or 0, 0) end\n"
    "end\n"
    "local function keep(i, v) call('SET', K[i + 1], v, 'KEEPTTL') known(i) end\n"
    "local function drop(i) call('DEL', K[i + 1]) unnote(A[i + 1]) end\n";

const char gv_redis_put[] = "put(1, A[3], tonumber(A[4])) return 1";

const char gv_redis_get[] =
    "local v, l = load(1)\n"
    "if type(v) == 'table' then return v end\n"
    "return v and {v, format('%.0f', l)}";

const char gv_redis_remove[] =
    "local l = left(1)\n"
    "drop(1)\n"
    "return l >= 0 and 1 or 0";

/* A[2]: what the keys begin with. Of a list its items. */
const char gv_redis_all[] =
    "local all, out, gone, base = call('HKEYS', K[1]), {}, false, A[2]\n"
    "for _, m in ipairs(all) do\n"
    "  K[2], A[2] = base .. m, m\n"
    "  local v, l = load(1)\n"
    "  if type(v) == 'table' then\n"
    "    l = left(1)\n"
    "    v = l >= 0 and call('TYPE', K[2]).ok == 'list' and call('LRANGE', K[2], 0, -1)\n"
    "  end\n"
    "  if v then out[#out + 1] = m out[#out + 1] = format('%.0f', l) out[#out + 1] = v\n"
    "  elseif left(1) < 0 then gone = true end\n"
    "end\n"
    "if gone then tidy() end\n"
    "return out";

const char gv_redis_clear[] =
    "local all, count = call('HKEYS', K[1]), 0\n"
    "for _, m in ipairs(all) do\n"
    "  K[2] = A[2] .. m\n"
    "  if left(1) >= 0 then count = count + 1 end\n"
    "  call('DEL', K[2])\n"
    "end\n"
    "call('DEL', K[1])\n"
    "return count";

/* A[3]: value, A[4]: how many are kept, 0: all. */
const char gv_redis_push[] =
    "if left(1) < 0 then call('DEL', K[2]) end\n"
    "local n, most = pcall('LPUSH', K[2], A[3]), tonumber(A[4])\n"
    "if type(n) == 'table' then return n end\n"
    "if most > 0 and n > most then call('LTRIM', K[2], 0, most - 1) n = most end\n"
    "local e = expires(K[2])\n"
    "note(A[2], e > 0 and e or 0, 0)\n"
    "return n";

const char gv_redis_range[] =
    "if left(1) < 0 then return {0, {}} end\n"
    "local items = pcall('LRANGE', K[2], A[3], A[4])\n"
    "if items.err then return items end\n"
    "return {call('LLEN', K[2]), items}";

const char gv_redis_look[] = "return look()";

/* For each key: whether it is there (1 or 0), its value, what to do (leave, put, keep, drop), the new value, milliseconds. */
const char gv_redis_swap[] =
    "local s = look()\n"
    "if s.err then return s end\n"
    "for i = 1, N do\n"
    "  local at = N + 2 + (i - 1) * 5\n"
    "  if s[3 * i] ~= (A[at] == '1' and A[at + 1]) then return s end\n"
    "end\n"
    "for i = 1, N do\n"
    "  local at = N + 2 + (i - 1) * 5\n"
    "  local what = A[at + 2]\n"
    "  if what == 'put' then put(i, A[at + 3], tonumber(A[at + 4]))\n"
    "  elseif what == 'keep' then keep(i, A[at + 3])\n"
    "  elseif what == 'drop' then drop(i) end\n"
    "end\n"
    "s[1] = 1\n"
    "return s";

/* A text or the items of a list, and what is left. */
const char gv_redis_any[] =
    "local v, l = load(1)\n"
    "if type(v) == 'table' then\n"
    "  l = left(1)\n"
    "  v = l >= 0 and call('TYPE', K[2]).ok == 'list' and call('LRANGE', K[2], 0, -1)\n"
    "end\n"
    "return v and {v, format('%.0f', l)}";

/* A key that is there, and is not in the index, comes into it. */
const char gv_redis_adopt[] =
    "local e = expires(K[2])\n"
    "if e == -2 or call('HEXISTS', K[1], A[2]) == 1 then return 0 end\n"
    "note(A[2], e > 0 and e or 0, 0)\n"
    "return 1";

gv_redis_script *gv_redis_find_script(gv_redis *self, const char *source)
{
    for (size_t i = 0; i < self->script_count; i++)
        if (self->scripts[i].source == source)
            return &self->scripts[i];
    if (self->script_count == GV_REDIS_SCRIPTS)
        return NULL;
    gv_redis_script *script = &self->scripts[self->script_count++];
    script->source = source;
    return script;
}

void gv_redis_add_source(gv_redis_words *words, const char *source)
{
    gv_text whole = {0};
    gv_text_add(&whole, functions, sizeof functions - 1);
    gv_text_adds(&whole, source);
    gv_redis_add(words, gv_text_get(&whole), whole.length);
    if (whole.failed)
        words->text->failed = true;
    gv_text_free(&whole);
}
