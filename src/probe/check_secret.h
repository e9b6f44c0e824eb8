#pragma once

/*
 * Secrets in addresses, and out of texts. Servers may repeat anything that they are told, and
 * libraries quote it; reasons and details of checks must not.
 */

/* "scheme://user:password@host...": both percent-decoded, "" when absent; freed with
 * check_credentials_release. -1: an escape that is none. */
struct check_credentials {
    char *user, *password;
};
int check_credentials_read(const char *url, struct check_credentials *ret);
void check_credentials_release(struct check_credentials *c); /* wipes */

/* Writes '*' over each `secret` in the text. NULL and "" hide nothing. */
void check_hide(char *text, const char *secret);
