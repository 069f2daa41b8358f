/* gavatcore.h: everything. Each header below can also be included alone. */
#ifndef GAVATCORE_H
#define GAVATCORE_H
#include "gavatcore/base.h"
#include "gavatcore/client.h"
#include "gavatcore/op.h"
#include "gavatcore/events.h"
#include "gavatcore/profiles.h"
#include "gavatcore/state.h"
#include "gavatcore/conversation.h"
#include "gavatcore/admin.h"
#endif
