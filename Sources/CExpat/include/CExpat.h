#ifndef FREEZE_PROFILE_CEXPAT_H
#define FREEZE_PROFILE_CEXPAT_H

// The streaming XML parser. Chosen over libxml2, and over Foundation's XML parser which is libxml2: it is a tenth of
// their size, keeps no tree, and bounds entity expansion by itself.
#include <expat.h>

#endif
