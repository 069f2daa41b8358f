/* original.h: the original's data set, compared with its dump but for the times: each store was filled at its own moment. cmocka's header and
 * client.h come before this one. */
#ifndef GAVATCORE_TEST_ORIGINAL_H
#define GAVATCORE_TEST_ORIGINAL_H

void original_path(char out[500], const char *name);    /* of a file of it */
void expect_original_rows(gavat *g);                    /* every row and value, page by page */
void expect_original_sums(gavat *g);                    /* of amounts, exact */
#endif
