/* search_keywords.h: what a search must find, the same on every backend. Rows are named by one letter or digit; a
 * keyword's rows are given newest first, and the newest row is the last one here. Letters fold (case and marks dropped,
 * I = İ = ı = i), nothing else in a keyword means anything but itself. */
#ifndef GAVATCORE_TEST_SEARCH_KEYWORDS_H
#define GAVATCORE_TEST_SEARCH_KEYWORDS_H

typedef struct search_row {
    char name;
    const char *type, *message;
} search_row;

static const search_row search_rows[] = {
    {'a', "dm_received", "IĞDIR ığdır"},
    {'b', "dm_received", "İZMİR izmir"},
    {'c', "DM_SENT", "ŞEKER şeker ÇİÇEK çiçek"},
    {'d', "note", "Göğüs ÖRDEK ördek ÜZÜM üzüm"},
    {'e', "note", "Straße STRASSE"},
    {'f', "note", "ΑΘΗΝΑ Αθήνα ὀδός"},
    {'g', "note", "parti 🎉 bitti 👩‍👩‍👧"},
    {'h', "note", "100% indirim_var C:\\yol"},
    {'i', "note", "o'nun \"sözü\" `x`"},
    {'j', "note", "a.b*c [d-f] ^x$ (y|z) \\d+"},
    {'k', "note", "bitti  sonunda boşluk   "},
    {'l', "note", "çok uzun bir cümle: bugün hava çok güzel, yarın da öyle olacak; sonra yağmur"},
    {'m', "vip_müşteri", NULL},
    {'n', "note", ""},
    {'o', "note", "x"},
    {'p', "note", "100 indirim var"},
    {'q', "note", "ilk satır\nikinci satır\tsekme"},
    {'r', "note", "日本語 テスト"},
    {'s', "note", "NOT AND OR NEAR(a b) col: -x \"y"},
    {'t', "note", "abcabcabd"},
    {'u', "note", "Cafe\xCC\x81 cr\xC3\xA8me"},
};
#define SEARCH_ROWS (sizeof search_rows / sizeof *search_rows)

typedef struct search_keyword {
    const char *keyword, *names;
} search_keyword;

static const search_keyword search_keywords[] = {
    /* the Turkish i's are one letter */
    {"ığdır", "a"}, {"IGDIR", "a"}, {"iğdir", "a"}, {"İĞDİR", "a"}, {"izmir", "b"}, {"IZMIR", "b"}, {"ızmır", "b"},
    {"İZMİR", "b"},
    {"ğdı", "a"}, {"İzM", "b"},
    /* marks and case */
    {"şeker", "c"}, {"SEKER", "c"}, {"cicek", "c"}, {"ÇIÇEK", "c"}, {"gogus", "d"}, {"GÖĞÜS", "d"}, {"ordek", "d"},
    {"uzum", "d"},
    {"ÜZÜM", "d"}, {"musteri", "m"}, {"MÜŞTERİ", "m"}, {"café", "u"}, {"CAFE", "u"}, {"creme", "u"},
    /* sharp s, Greek, emoji, others */
    {"strasse", "e"}, {"straße", "e"}, {"STRAẞE", "e"}, {"αθηνα", "f"}, {"ΑΘΉΝΑ", "f"}, {"οδος", "f"}, {"🎉", "g"},
    {"i 🎉", "g"},
    {"👩‍👧", "g"}, {"日本", "r"}, {"テスト", "r"}, {"本語 テ", "r"},
    /* no wildcards, no escapes, no quoting */
    {"%", "h"}, {"100%", "h"}, {"100% indirim", "h"}, {"indirim_var", "h"}, {"indirim var", "p"}, {"100", "ph"},
    {"_", "mhcba"}, {"m_v", "h"},
    {"\\", "jh"}, {":\\yol", "h"}, {"%indirim%", ""}, {"1__%", ""}, {"'", "i"}, {"o'nun", "i"}, {"''", ""},
    {"\"", "si"}, {"\"sözü\"", "i"},
    {"\"\"", ""}, {"`x`", "i"}, {"' OR '1'='1", ""},
    /* no regular expressions, no query language */
    {"a.b*c", "j"}, {"a.b", "j"}, {".*", ""}, {"b*c", "j"}, {"[d-f]", "j"}, {"^x$", "j"}, {"(y|z)", "j"}, {"\\d+", "j"},
    {"indirim.var", ""},
    {"NOT AND", "s"}, {"a OR b", ""}, {"or near", "s"}, {"near(a b)", "s"}, {"col:", "s"}, {"-x", "s"}, {"\"y", "s"},
    {"yol*", ""}, {"ördek OR", "d"},
    /* one and two letters */
    {"x", "soji"}, {"z", "ljidb"}, {"ğ", "lda"}, {"zm", "b"}, {"IZ", "b"}, {"ab", "t"}, {"ç", "utsqljhcba"}, {"日", "r"},
    /* blanks count, also at the ends */
    {"bitti ", "kg"}, {"bitti  ", "k"}, {" bitti", "g"}, {"boşluk   ", "k"}, {"boşluk    ", ""}, {"satır\niki", "q"},
    {"satır ikinci", ""},
    {"\tsek", "q"},
    /* longer phrases */
    {"hava çok güzel, yarın", "l"}, {"HAVA COK GUZEL, YARIN DA OYLE OLACAK; SONRA YAGMUR", "l"},
    {"hava çok guzel yarın", ""},
    {"cümle: bugün hava çok güzel, yarın da öyle olacak; sonra yağmur yok", ""},
    {"abcabd", "t"}, {"abcabcabcabd", ""},
    /* the type is searched too, never across both */
    {"dm_", "cba"}, {"DM_RECEIVED", "ba"}, {"dm_sent", "c"}, {"vip", "m"}, {"receivedIĞDIR", ""}, {"notex", ""},
    /* every row holds the empty text */
    {"", "utsrqponmlkjihgfedcba"},
    {"yok böyle bir şey", ""},
};
#define SEARCH_KEYWORDS (sizeof search_keywords / sizeof *search_keywords)
#endif
