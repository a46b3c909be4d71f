"""The example service against a real PostgreSQL: its answers, what it says of itself, its end, and a change of the
primary under load."""

import json
import socket
import threading

import harness
from example_service import CREATE, Load, Service, ask, check_accounts


class Answers(harness.Case):
    def setUp(self):
        self.folder = self.open(harness.Folder())
        self.postgres = self.open(harness.Postgres(standbys=0))

    def service(self, **more):
        return self.open(Service(self.folder, f"postgresql://postgres@127.0.0.1:{self.postgres.ports[0]}/postgres",
                                 **more)).wait_ready()

    def test_writes_and_reads(self):
        port = self.service(OTEL_RESOURCE_ATTRIBUTES="cloud.region=eu-west").port
        status, first = ask(port, CREATE.replace("{ id }", "{ id what region createdAt __typename }"),
                            {"what": "t\u00fcte \"5\"", "key": "k"})
        self.assertEqual(status, 200, first)
        order = first["data"]["createOrder"]
        self.assertEqual((order["what"], order["region"], order["__typename"]), ("t\u00fcte \"5\"", "eu-west", "Order"))
        # The same key again changes nothing.
        _, again = ask(port, CREATE, {"what": "other", "key": "k"})
        self.assertEqual(again["data"]["createOrder"]["id"], order["id"])
        for _ in range(3):
            ask(port, CREATE, {"what": "more"})
        _, lists = ask(port, f'{{ orders(limit: 2) {{ id }} all: orders {{ what }} one: order(id: {order["id"]}) {{ what }} '
                             f'none: order(id: 999999) {{ id }} }}')
        self.assertEqual(len(lists["data"]["orders"]), 2)
        self.assertEqual(len(lists["data"]["all"]), 4)
        self.assertEqual(lists["data"]["one"], {"what": "t\u00fcte \"5\""})
        self.assertIsNone(lists["data"]["none"])

    def test_refusals(self):
        port = self.service().port
        base = f"http://127.0.0.1:{port}"
        for path, method, wanted in [("/graphql", "GET", 405), ("/health", "POST", 405), ("/else", "GET", 404)]:
            self.assertEqual(harness.fetch(base + path, method=method, data=b"" if method == "POST" else None)[0], wanted)
        self.assertEqual(harness.fetch(base + "/graphql", {"Content-Type": "text/plain"}, b"{}")[0], 415)
        self.assertEqual(harness.fetch(base + "/graphql", {"Content-Type": "application/json"}, b"x" * 70000)[0], 413)
        self.assertEqual(harness.fetch(base + "/metrics")[0], 401)
        status, answer = ask(port, CREATE, {"what": "x" * 5000})
        self.assertEqual((status, answer["errors"][0]["extensions"]["code"]), (400, "BAD_REQUEST"))

    def test_a_database_that_goes_and_comes_back(self):
        service = self.service()
        self.postgres.stop(0, "immediate")
        status, _, body = harness.fetch(f"http://127.0.0.1:{service.port}/readiness")
        self.assertEqual((status, json.loads(body)["status"]), (503, "not_ready"))
        status, answer = ask(service.port, "{ orders { id } }")
        self.assertEqual((status, answer["errors"][0]["extensions"]["code"]), (503, "DATABASE_UNAVAILABLE"))
        self.postgres.start(0)
        harness.wait_until(service.ready, 20, "readiness")
        self.assertEqual(ask(service.port, "{ orders { id } }")[0], 200)

    def test_a_write_whose_connection_is_lost_is_unknown(self):
        service = self.service()
        self.postgres.sql("create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(60); "
                          "return new; end $$; create trigger wait before insert on orders execute function wait()")
        answers = []
        writer = threading.Thread(target=lambda: answers.append(ask(service.port, CREATE, {"what": "x"})))
        writer.start()
        waits = "select pid from pg_stat_activity where query like 'insert%' and state = 'active'"
        harness.wait_until(lambda: self.postgres.sql(waits), 10, "the write to be under way")
        self.postgres.sql(f"select pg_terminate_backend(pid) from ({waits}) x")
        writer.join(30)
        status, answer = answers[0]
        self.assertEqual((status, answer["errors"][0]["extensions"]["code"]), (503, "OUTCOME_UNKNOWN"))

    def test_requests_under_way_end_before_it_does(self):
        service = self.service()
        self.postgres.sql("create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(1); "
                          "return new; end $$; create trigger wait before insert on orders execute function wait()")
        answers = []
        writer = threading.Thread(target=lambda: answers.append(ask(service.port, CREATE, {"what": "x"})))
        writer.start()
        harness.wait_until(lambda: self.postgres.sql("select 1 from pg_stat_activity where query like 'insert%' and "
                                                     "state = 'active'"), 10, "the write to be under way")
        service.close()
        writer.join(30)
        self.assertEqual(answers[0][0], 200, answers)
        self.assertEqual(service.process.returncode, 0)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", service.port), 1)


class Telemetry(harness.Case):
    def test_spans_and_metrics_reach_a_collector(self):
        folder, postgres = self.open(harness.Folder()), self.open(harness.Postgres(standbys=0))
        otlp = harness.free_port()
        service = self.open(Service(folder, f"postgresql://postgres@127.0.0.1:{postgres.ports[0]}/postgres",
                                    OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{otlp}",
                                    OTEL_RESOURCE_ATTRIBUTES="cloud.region=apac")).wait_ready()
        token = folder.file("token", "0123456789abcdef-token\n")
        collector = self.collector({
            "otlp": {"http": f"127.0.0.1:{otlp}"},
            "scrapers": {"prometheus": [{"name": "service", "region": "apac", "interval": "500ms", "timeout": "400ms",
                                         "url": f"http://127.0.0.1:{service.port}/metrics", "bearer_token_file": token}]},
            "slos": [{"name": "spans", "objective": 99, "by": ["region"],
                      "sli": {"spans": {"service": "fraiseql", "entry": True}}}]}).start()
        for _ in range(7):
            self.assertEqual(ask(service.port, "{ orders { id } }")[0], 200)
        ask(service.port, "{ nothing }")
        wanted = {"good": 7, "total": 8, "unknown": 0}
        harness.wait_until(lambda: (collector.slo("spans", region="apac") or {}).get("events") == wanted, 30,
                           "eight spans, one of them an error")
        names = {dict(labels)["span_name"] for (name, labels), _ in collector.metrics().items()
                 if name == "traces_span_metrics_calls_total"}
        self.assertEqual(names, {"query orders", "graphql"})
        harness.wait_until(lambda: collector.value("fraiseql_graphql_queries_total", target="service") == 8, 20,
                           "the service's own counters")
        harness.wait_until(lambda: service.metrics()["fraiseql_example_spans_sent_total"] == 8, 20, "spans sent")
        self.assertEqual(service.metrics()["fraiseql_graphql_queries_error"], 1)


class Primary(harness.Case):
    def test_a_change_of_the_primary_loses_nothing_acknowledged(self):
        folder, postgres = self.open(harness.Folder()), self.open(harness.Postgres(standbys=1))
        hosts = f"postgresql://postgres@127.0.0.1:{postgres.ports[0]},127.0.0.1:{postgres.ports[1]}/postgres"
        service = self.open(Service(folder, hosts, read_url=hosts)).wait_ready()
        load = Load(service.port)
        harness.wait_until(lambda: load.count() > 200, 30, "writes")
        # A fast stop waits until the standby has everything.
        postgres.stop(0, "fast")
        harness.as_postgres([f"{harness.PG_BIN}/pg_ctl", "-D", postgres.data[1], "-w", "promote"])
        before = load.count()
        harness.wait_until(lambda: load.count() > before + 200, 60, "writes on the new primary")
        acknowledged = load.stop()
        check_accounts(self, acknowledged, postgres.sql("select key, id from orders", 1))


if __name__ == "__main__":
    harness.main()
