#include "../base/utf8.h"
#include "reading.h"

/* ISO-8859-9 is ISO-8859-1 with six Turkish letters in place of Icelandic ones. */
static uint32_t latin5(unsigned char byte)
{
    switch (byte) {
    case 0xd0: return 0x11e;
    case 0xdd: return 0x130;
    case 0xde: return 0x15e;
    case 0xf0: return 0x11f;
    case 0xfd: return 0x131;
    case 0xfe: return 0x15f;
    default: return byte;
    }
}

const char *gv_text_to_utf8(gv_text *text, bool *converted)
{
    *converted = false;
    if (text->length == 0 || gv_utf8_valid(text->data, text->length))
        return NULL;
    bool some_utf8 = false;
    for (size_t at = 0; at < text->length;) {
        uint32_t code;
        size_t length = gv_utf8_decode(text->data + at, text->length - at, &code);
        unsigned char byte = (unsigned char)text->data[at];
        some_utf8 |= length > 1;
        if (!length && byte < 0xa0)
            return "it is neither UTF-8 nor ISO-8859-9";
        at += length ? length : 1;
    }
    if (some_utf8)
        return "it is part UTF-8, part not";
    gv_text out = {.limit = text->limit};
    for (size_t at = 0; at < text->length; at++) {
        char bytes[4];
        gv_text_add(&out, bytes, gv_utf8_encode(latin5((unsigned char)text->data[at]), bytes));
    }
    if (out.failed) {
        gv_text_free(&out);
        return "";
    }
    gv_text_free(text);
    *text = out;
    *converted = true;
    return NULL;
}
