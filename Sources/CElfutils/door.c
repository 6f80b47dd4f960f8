#define _GNU_SOURCE
#include "CElfutils.h"

#include <stdlib.h>
#include <string.h>

char *celfutils_copy(const char *text) { return strdup(text); }

void celfutils_free(char *text) { free(text); }
