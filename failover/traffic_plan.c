#include "failover/traffic_plan.h"

/* A line must fit HAProxy's buffer (16 KiB unless configured smaller); what is left comes with the next. */
#define LINE_MAX_BYTES 8192U

struct planning {
    struct arena *arena;
    const struct traffic_state *state;
    const struct traffic_config *config;
    const struct haproxy_state *haproxy;
    int64_t now_wall_ns;
    struct buf line;
    struct traffic_plan plan;
};

static bool wants_out(const struct planning *planning, const char *server, bool *ret_cut)
{
    return traffic_state_wants_out(planning->state, planning->config, server, planning->now_wall_ns, ret_cut);
}

/* Another server of its backend takes connections, and stays. */
static bool has_another(const struct planning *planning, const struct haproxy_server *server)
{
    for (size_t i = 0; i < planning->haproxy->count; i++) {
        const struct haproxy_server *other = &planning->haproxy->servers[i];
        bool cut;
        if (other != server && other->backend_size == server->backend_size &&
            strncmp(other->name, server->name, server->backend_size) == 0 && other->usable &&
            other->weighted && !wants_out(planning, other->name, &cut))
            return true;
    }
    return false;
}

/* A server's commands: the weight, its own sessions or those of cut_after, each with the words around. */
#define SERVER_MAX_BYTES ((2U + TRAFFIC_MAX_AFTER) * (TRAFFIC_SERVER_MAX + 32U))

static void end_sessions(struct buf *line, const char *server)
{
    buf_printf(line, ";shutdown sessions server %s", server);
}

/* By the first rule that names it: rules of one server name the same stand-ins. */
static void end_stand_ins(struct planning *planning, const char *server)
{
    for (size_t i = 0; planning->config && i < planning->config->rules.count; i++) {
        const struct traffic_rule *rule = traffic_rule_at(planning->config, i);
        if (!rule->cut_after.count || !traffic_rule_names(rule, server, NULL))
            continue;
        for (size_t j = 0; j < rule->cut_after.count; j++)
            end_sessions(&planning->line, rule->cut_after.items[j]);
        return;
    }
}

static bool set_weight(struct planning *planning, const char *server, const char *weight)
{
    struct buf *line = &planning->line;
    if (line->len + SERVER_MAX_BYTES > LINE_MAX_BYTES)
        return false;
    buf_printf(line, "%sset weight %s %s", line->len ? ";" : "", server, weight);
    planning->plan.commands++;
    return true;
}

static void take_out(struct planning *planning, const char *server, bool cut)
{
    if (set_weight(planning, server, "0") && cut)
        end_sessions(&planning->line, server);
}

static void give_back(struct planning *planning, const char *server)
{
    if (set_weight(planning, server, "100%"))
        end_stand_ins(planning, server);
}

static void judge(struct planning *planning, const char *name)
{
    struct traffic_plan *plan = &planning->plan;
    const struct haproxy_server *server = haproxy_state_find(planning->haproxy, name);
    bool cut = false, out = wants_out(planning, name, &cut);
    if (!server) {
        if (!out) /* it went with a configuration: nothing to give back */
            plan->back[plan->back_count++] = name;
        plan->missing += out;
        plan->missing_name = out ? name : plan->missing_name;
        return;
    }
    if (out && !has_another(planning, server)) {
        plan->held++;
        plan->held_name = name;
        out = false;
    } else if (!out && (server->weighted || server->weighs_nothing)) {
        plan->back[plan->back_count++] = name;
    }
    plan->out += out && !server->weighted;
    if (out && server->weighted)
        take_out(planning, name, cut);
    else if (!out && !server->weighted && !server->weighs_nothing)
        give_back(planning, name);
}

void traffic_plan_make(struct arena *arena, const struct traffic_state *state,
                       const struct traffic_config *config, const struct haproxy_state *haproxy,
                       int64_t now_wall_ns, struct traffic_plan *ret_plan)
{
    struct planning planning = {.arena = arena,
                                .state = state,
                                .config = config,
                                .haproxy = haproxy,
                                .now_wall_ns = now_wall_ns,
                                .line = BUF_INIT(2 * LINE_MAX_BYTES)};
    planning.plan.back = arena_alloc(arena, (state->taken_count + 1) * sizeof *planning.plan.back);
    for (size_t i = 0; i < state->taken_count; i++)
        judge(&planning, state->taken[i]);
    planning.plan.line = arena_strdup(arena, buf_str(&planning.line));
    buf_deinit(&planning.line);
    *ret_plan = planning.plan;
}
