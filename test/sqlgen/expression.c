/* expression.c - typed expressions from a table of productions: `$1` to `$3` stand for arguments, `?1` for ones of the wanted type,
 * `#` for a small number. `peers` says who else means the same by it; what nobody shares is for the engine against itself.
 *
 * In shared ones numbers stay small (remainders around products), so that no engine's overflow shows, and none has a -0.0, which
 * peers do not tell from 0. */
#include "sqlgen.h"

enum { ANY = G_TYPES, PRODUCTIONS_MAX = 256 };

struct production {
    uint8_t result; /* enum gtype, or ANY */
    uint8_t peers;
    uint8_t args[3];
    const char *text;
};

#define I G_INT
#define L G_BIGINT
#define D G_DOUBLE
#define M G_DECIMAL
#define T G_TEXT
#define B G_BOOL
#define Y G_DATE
#define Z G_TIMESTAMP

static const struct production productions[] = {
    {ANY, 3, {B}, "CASE WHEN $1 THEN ?1 ELSE ?2 END"},
    {ANY, 3, {0}, "COALESCE(?1, ?2)"},
    {ANY, 3, {0}, "NULLIF(?1, ?2)"},
    {ANY, 0, {B}, "IF($1, ?1, ?2)"},
    {ANY, 0, {0}, "IFNULL(?1, ?2)"},
    {ANY, 0, {0}, "GREATEST(?1, ?2)"},
    {ANY, 0, {0}, "LEAST(?1, ?2)"},
    {ANY, 0, {I, I}, "CASE $1 WHEN 1 THEN ?1 WHEN $2 THEN ?2 END"},
    /* INT */
    {I, 3, {I, I}, "($1 + $2)"},
    {I, 3, {I, I}, "($1 - $2)"},
    {I, 3, {I, I}, "(($1 % 100) * ($2 % 100))"},
    {I, 3, {I}, "(-($1))"},
    {I, 3, {I}, "ABS($1)"},
    {I, 3, {I}, "($1 % #)"},
    {I, 3, {T}, "CHAR_LENGTH($1)"},
    {I, 2, {T, T}, "POSITION($1 IN $2)"},
    {I, 0, {I, I}, "($1 * $2)"},
    {I, 0, {I}, "($1 / #)"},
    {I, 0, {I, I}, "($1 / NULLIF($2, 0))"},
    {I, 0, {I, I}, "MOD($1, NULLIF($2, 0))"},
    {I, 0, {I}, "SIGN($1)"},
    {I, 0, {D}, "CAST($1 AS INT)"},
    {I, 0, {M}, "CAST($1 AS INT)"},
    {I, 0, {L}, "CAST($1 AS INT)"},
    {I, 0, {B}, "CAST($1 AS INT)"},
    {I, 0, {T}, "TRY_CAST($1 AS INT)"},
    {I, 0, {I}, "CAST(CAST($1 AS TINYINT) AS INT)"},
    {I, 0, {I}, "CAST(CAST($1 AS SMALLINT) AS INT)"},
    {I, 0, {T}, "ASCII($1)"},
    {I, 0, {T}, "LOCATE('a', $1)"},
    {I, 0, {Z, Z}, "TIMESTAMPDIFF(DAY, $1, $2)"},
    {I, 0, {I, I}, "CARDINALITY(ARRAY[$1, $2])"},
    {I, 0, {I, I}, "ARRAY[$1, $2][1]"},
    {I, 0, {T, I}, "CAST(JSON_VALUE(JSON_OBJECT('k' VALUE $2), '$.k') AS INT)"},
    /* BIGINT */
    {L, 3, {I}, "CAST($1 AS BIGINT)"},
    {L, 3, {L, L}, "($1 + $2)"},
    {L, 3, {L, I}, "($1 - $2)"},
    {L, 3, {L, L}, "(($1 % 100) * ($2 % 100))"},
    {L, 3, {L}, "ABS($1)"},
    {L, 2, {Y}, "EXTRACT(YEAR FROM $1)"},
    {L, 2, {Y}, "EXTRACT(MONTH FROM $1)"},
    {L, 2, {Y}, "EXTRACT(DAY FROM $1)"},
    {L, 2, {Z}, "EXTRACT(HOUR FROM $1)"},
    {L, 0, {Z}, "EXTRACT(MINUTE FROM $1)"},
    {L, 0, {Y}, "EXTRACT(QUARTER FROM $1)"},
    {L, 0, {Y}, "EXTRACT(WEEK FROM $1)"},
    {L, 0, {L, L}, "($1 * $2)"},
    {L, 0, {D}, "CAST($1 AS BIGINT)"},
    {L, 0, {M}, "CAST($1 AS BIGINT)"},
    {L, 0, {T}, "TRY_CAST($1 AS BIGINT)"},
    /* DOUBLE */
    {D, 3, {I}, "CAST($1 AS DOUBLE)"},
    {D, 3, {D, D}, "($1 + $2)"},
    {D, 3, {D, D}, "($1 - $2)"},
    {D, 3, {D, D}, "($1 * $2 + 0.0E0)"},
    {D, 3, {D}, "ABS($1)"},
    {D, 3, {D}, "(FLOOR($1) + 0.0E0)"},
    {D, 3, {D}, "(CEIL($1) + 0.0E0)"},
    {D, 2, {D}, "SQRT(ABS($1))"},
    {D, 2, {D}, "(SIN($1) + 0.0E0)"},
    {D, 0, {D}, "ROUND($1, 1)"},
    {D, 0, {D, I}, "($1 / $2)"},
    {D, 0, {D}, "LN(ABS($1) + 1)"},
    {D, 0, {I, I}, "POWER($1, $2)"},
    {D, 0, {M}, "CAST($1 AS DOUBLE)"},
    {D, 0, {T}, "TRY_CAST($1 AS DOUBLE)"},
    {D, 0, {D}, "TRUNCATE($1, 0)"},
    {D, 0, {D}, "CAST(CAST($1 AS FLOAT) AS DOUBLE)"},
    /* DECIMAL(10, 2) */
    {M, 0, {I}, "CAST($1 AS DECIMAL(10, 2))"},
    {M, 0, {M, M}, "CAST($1 + $2 AS DECIMAL(10, 2))"},
    {M, 0, {M, M}, "CAST($1 - $2 AS DECIMAL(10, 2))"},
    {M, 0, {M, M}, "CAST($1 * $2 AS DECIMAL(10, 2))"},
    {M, 0, {M, M}, "CAST($1 / NULLIF($2, 0) AS DECIMAL(10, 2))"},
    {M, 0, {M}, "CAST(ROUND($1, 1) AS DECIMAL(10, 2))"},
    {M, 0, {M}, "CAST(FLOOR($1) AS DECIMAL(10, 2))"},
    {M, 0, {M}, "ABS($1)"},
    {M, 0, {D}, "CAST($1 AS DECIMAL(10, 2))"},
    {M, 0, {T}, "TRY_CAST($1 AS DECIMAL(10, 2))"},
    {M, 0, {M, I}, "CAST(MOD($1, NULLIF($2, 0)) AS DECIMAL(10, 2))"},
    /* text */
    {T, 3, {T}, "UPPER($1)"},
    {T, 3, {T}, "LOWER($1)"},
    {T, 3, {T, T}, "($1 || $2)"},
    {T, 3, {T}, "TRIM($1)"},
    {T, 3, {T}, "SUBSTRING($1, #, #)"},
    {T, 3, {T}, "REPLACE($1, 'a', 'bc')"},
    {T, 3, {I}, "CAST($1 AS VARCHAR(40))"},
    {T, 3, {L}, "CAST($1 AS VARCHAR(40))"},
    {T, 2, {Y}, "CAST($1 AS VARCHAR(40))"},
    {T, 2, {T}, "REVERSE($1)"},
    {T, 2, {T}, "LEFT($1, #)"},
    {T, 2, {T}, "RIGHT($1, #)"},
    {T, 2, {T}, "MD5($1)"},
    {T, 0, {B}, "CAST($1 AS VARCHAR(40))"},
    {T, 0, {D}, "CAST($1 AS VARCHAR(40))"},
    {T, 0, {M}, "CAST($1 AS VARCHAR(40))"},
    {T, 0, {Z}, "CAST($1 AS VARCHAR(40))"},
    {T, 0, {T, I}, "SUBSTRING($1 FROM $2)"},
    {T, 0, {T, T}, "CONCAT($1, $2)"},
    {T, 0, {T, T}, "CONCAT_WS(',', $1, $2)"},
    {T, 0, {T}, "LPAD($1, #, '*')"},
    {T, 0, {T}, "RPAD($1, #, 'xy')"},
    {T, 0, {T}, "INITCAP($1)"},
    {T, 0, {T}, "REPEAT($1, 2)"},
    {T, 0, {T}, "REGEXP_REPLACE($1, '[a-c]+', '-')"},
    {T, 0, {T}, "REGEXP_EXTRACT($1, '([a-z]+)', 1)"},
    {T, 0, {T, I}, "SPLIT_INDEX($1, 'b', $2)"},
    {T, 0, {T}, "OVERLAY($1 PLACING 'q' FROM # FOR #)"},
    {T, 0, {Z}, "DATE_FORMAT($1, 'yyyy-MM HH')"},
    {T, 0, {T}, "TO_BASE64($1)"},
    {T, 0, {I}, "HEX($1)"},
    {T, 0, {T}, "TRIM(LEADING 'a' FROM $1)"},
    {T, 0, {T, I}, "JSON_OBJECT('a' VALUE $1, 'b' VALUE $2)"},
    {T, 0, {T, I}, "ELT(#, $1, 'x')"},
    {T, 0, {I, T}, "MAP['k', $2]['k']"},
    /* BOOLEAN */
    {B, 3, {I, I}, "($1 = $2)"},
    {B, 3, {I, I}, "($1 < $2)"},
    {B, 3, {I, I}, "($1 <> $2)"},
    {B, 3, {I, L}, "($1 >= $2)"},
    {B, 3, {I, D}, "($1 <= $2)"},
    {B, 3, {D, D}, "($1 > $2)"},
    {B, 3, {T, T}, "($1 = $2)"},
    {B, 3, {T, T}, "($1 < $2)"},
    {B, 3, {T, T}, "($1 >= $2)"},
    {B, 3, {Y, Y}, "($1 < $2)"},
    {B, 3, {Y, Y}, "($1 = $2)"},
    {B, 3, {B, B}, "($1 AND $2)"},
    {B, 3, {B, B}, "($1 AND $2)"},
    {B, 3, {B, B}, "($1 OR $2)"},
    {B, 3, {B, B}, "($1 OR $2)"},
    {B, 3, {B}, "(NOT $1)"},
    {B, 3, {B, B}, "($1 = $2)"},
    {B, 3, {I}, "($1 IS NULL)"},
    {B, 3, {T}, "($1 IS NOT NULL)"},
    {B, 3, {D}, "($1 IS NULL)"},
    {B, 3, {B}, "($1 IS TRUE)"},
    {B, 3, {B}, "($1 IS NOT FALSE)"},
    {B, 3, {B}, "($1 IS NULL)"},
    {B, 3, {I, I}, "($1 IS DISTINCT FROM $2)"},
    {B, 3, {T, T}, "($1 IS NOT DISTINCT FROM $2)"},
    {B, 3, {I, I, I}, "($1 BETWEEN $2 AND $3)"},
    {B, 3, {I}, "($1 IN (0, 1, 3))"},
    {B, 3, {I}, "($1 NOT IN (0, #, #))"},
    {B, 3, {I}, "($1 NOT IN (2, NULL))"},
    {B, 3, {T}, "($1 IN ('a', 'b', ''))"},
    {B, 3, {T}, "($1 LIKE '%a%')"},
    {B, 3, {T}, "($1 LIKE 'a_')"},
    {B, 3, {T}, "($1 NOT LIKE '%b')"},
    {B, 2, {Z, Z}, "($1 <= $2)"},
    {B, 2, {M, M}, "($1 < $2)"},
    {B, 0, {M, I}, "($1 = $2)"},
    {B, 0, {M, D}, "($1 > $2)"},
    {B, 0, {B}, "($1 IS UNKNOWN)"},
    {B, 0, {B}, "($1 IS NOT TRUE)"},
    {B, 0, {B, B}, "($1 <> $2)"},
    {B, 0, {T}, "REGEXP($1, '^[ab]')"},
    {B, 0, {T}, "($1 SIMILAR TO '(a|b)*')"},
    {B, 0, {T, T}, "STARTSWITH($1, $2)"},
    {B, 0, {T}, "TRY_CAST($1 AS BOOLEAN)"},
    {B, 0, {I, I, I}, "($1 NOT BETWEEN SYMMETRIC $2 AND $3)"},
    {B, 0, {I, T}, "(($1, $2) = (1, 'a'))"},
    {B, 0, {T}, "IS_ALPHA($1)"},
    {B, 0, {I, I}, "ARRAY_CONTAINS(ARRAY[1, 2, $1], $2)"},
    {B, 0, {Y, Z}, "($1 < CAST($2 AS DATE))"},
    /* DATE, TIMESTAMP(3) */
    {Y, 2, {Z}, "CAST($1 AS DATE)"},
    {Y, 0, {Y}, "($1 + INTERVAL '1' DAY)"},
    {Y, 0, {Y}, "($1 - INTERVAL '2' MONTH)"},
    {Y, 0, {Y}, "CAST(FLOOR($1 TO MONTH) AS DATE)"},
    {Y, 0, {T}, "TRY_CAST($1 AS DATE)"},
    {Z, 2, {Z}, "($1 + INTERVAL '3' HOUR)"},
    {Z, 0, {Y}, "CAST($1 AS TIMESTAMP(3))"},
    {Z, 0, {Z}, "($1 - INTERVAL '1' YEAR)"},
    {Z, 0, {Z}, "FLOOR($1 TO HOUR)"},
    {Z, 0, {Z, I}, "TIMESTAMPADD(MINUTE, ($2 % 1000), $1)"},
};

enum gtype pick_type(struct gen *g)
{
    static const uint8_t shared[] = {I, I, I, L, D, T, T, B, Y}, own[] = {I, I, L, D, M, T, T, B, Y, Z};

    return (enum gtype)(g->wanted == PEER_BOTH ? shared[pick(g, COUNT_OF(shared))] : own[pick(g, COUNT_OF(own))]);
}

static bool put_column(struct gen *g, const struct gscope *s, enum gtype t, struct buf *out)
{
    uint32_t fits = 0;

    for (uint32_t i = 0; i < s->count; i++) fits += s->items[i].type == t;
    if (fits == 0) return false;
    for (uint32_t i = 0, left = pick(g, fits); i < s->count; i++) {
        if (s->items[i].type != t || left-- > 0) continue;
        buf_append_text(out, s->items[i].name);
        return true;
    }
    return false;
}

/* Something about a column, where a condition would else be a constant. */
static bool put_test(struct gen *g, const struct gscope *s, struct buf *out)
{
    static const char *const tests[] = {"=", "<>", "<", ">="};

    if (s->count == 0) return false;
    const struct gcolumn *c = &s->items[pick(g, s->count)];
    if (c->type == G_BOOL) return put_column(g, s, G_BOOL, out);
    buf_printf(out, "(%s ", c->name);
    if (chance(g, 25))
        buf_append_text(out, chance(g, 50) ? "IS NULL" : "IS NOT NULL");
    else
        buf_printf(out, "%s ", tests[pick(g, COUNT_OF(tests))]), put_literal(g, (enum gtype)c->type, out);
    buf_append_byte(out, ')');
    return true;
}

static const struct production *production_of(struct gen *g, enum gtype t)
{
    uint16_t fits[PRODUCTIONS_MAX];
    uint32_t count = 0;

    _Static_assert(COUNT_OF(productions) <= PRODUCTIONS_MAX, "room for all");
    for (uint32_t i = 0; i < COUNT_OF(productions); i++) {
        const struct production *p = &productions[i];
        if ((p->result == t || p->result == ANY) && (p->peers & g->wanted) == g->wanted) fits[count++] = (uint16_t)i;
    }
    return &productions[fits[pick(g, count)]];
}

void put_expression(struct gen *g, const struct gscope *s, enum gtype t, uint32_t depth, struct buf *out)
{
    bool leaf = depth == 0 || chance(g, 25);

    if (leaf && chance(g, 85) && put_column(g, s, t, out)) return;
    if (leaf && t == G_BOOL && chance(g, 85) && put_test(g, s, out)) return;
    if (leaf) {
        put_literal(g, t, out);
        return;
    }
    const struct production *p = production_of(g, t);
    for (const char *c = p->text; *c != '\0'; c++) {
        bool is_argument = (*c == '$' || *c == '?') && c[1] >= '1' && c[1] <= '3';
        if (is_argument)
            put_expression(g, s, *c == '?' ? t : (enum gtype)p->args[c[1] - '1'], depth - 1, out), c++;
        else if (*c == '#')
            buf_printf(out, "%u", 1 + pick(g, 5));
        else
            buf_append_byte(out, *c);
    }
}
