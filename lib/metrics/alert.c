#include "lib/metrics/alert.h"

const char *alert_state_text(enum alert_state state)
{
    switch (state) {
    case ALERT_FIRING:
        return "firing";
    case ALERT_UNKNOWN:
        return "unknown";
    case ALERT_RESOLVED:
        return "resolved";
    }
    return "unknown";
}
