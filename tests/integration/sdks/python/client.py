"""Sends the spans of ../README.md, or counters, with the OpenTelemetry SDK for Python."""

import logging
import os
import sys
import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

NAMES = ["GET /orders", "query", "Übersicht"]
KINDS = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]
DURATIONS_US = [500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000]


def send_spans(count):
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("client")
    base = time.time_ns() - 60 * 10**9
    parent = None
    for i in range(count):
        context = trace.set_span_in_context(parent) if i % 20 else None
        start = base + i * 1000
        span = tracer.start_span(NAMES[i % 3], context=context, kind=KINDS[i % 5], start_time=start)
        if i % 7 == 3:
            span.set_status(Status(StatusCode.ERROR, "planned"))
        elif i % 7 == 5:
            span.set_status(Status(StatusCode.OK))
        span.end(start + DURATIONS_US[i % 11] * 1000)
        if i % 20 == 0:
            parent = span
    provider.force_flush()
    provider.shutdown()


def send_metrics():
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=500)
    provider = MeterProvider(metric_readers=[reader])
    provider.get_meter("client").create_counter("orders").add(1)
    time.sleep(2.2)
    provider.shutdown()


logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
if sys.argv[1] == "spans":
    send_spans(int(os.environ["CLIENT_SPANS"]))
else:
    send_metrics()
