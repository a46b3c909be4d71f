#include "scrapers/url.h"

#include <stdio.h>
#include <strings.h>

static struct str authority_of(const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    return (struct str){start, strcspn(start, "/?#")};
}

bool url_has_credentials(const char *url)
{
    struct str authority = authority_of(url);
    return memchr(authority.ptr, '@', authority.len) != NULL;
}

void url_target(const char *url, char *text, size_t size)
{
    struct str authority = authority_of(url);
    const char *at = memrchr(authority.ptr, '@', authority.len);
    if (at) {
        authority.len -= (size_t)(at + 1 - authority.ptr);
        authority.ptr = at + 1;
    }
    const char *colon = memrchr(authority.ptr, ':', authority.len);
    const char *bracket = memrchr(authority.ptr, ']', authority.len);
    bool has_port = colon && (!bracket || colon > bracket) && colon + 1 < authority.ptr + authority.len;
    if (colon && !has_port && colon + 1 == authority.ptr + authority.len)
        authority.len--;
    const char *port = has_port ? "" : strncasecmp(url, "https:", 6) == 0 ? ":443" : ":80";
    (void)snprintf(text, size, "%.*s%s", STR_ARGS(authority), port);
}
