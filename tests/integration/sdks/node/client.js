// Sends the spans of ../README.md, or counters, with the OpenTelemetry SDK for Node.js.
'use strict';

const { context, diag, DiagConsoleLogger, DiagLogLevel, SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api');
const { detectResources, envDetector } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');

const NAMES = ['GET /orders', 'query', 'Übersicht'];
const KINDS = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];
const DURATIONS_US = [500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000];
const FLUSH_EVERY = 5000; // below the exporter's limit of 30 requests at once

// [seconds, nanoseconds] of a number of microseconds
const hrTime = (us) => [Math.floor(us / 1e6), (us % 1e6) * 1000];

async function sendSpans(exporter, count) {
  const resource = detectResources({ detectors: [envDetector] });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('client');
  const base = (Date.now() - 60000) * 1000;
  let parent = context.active();
  for (let i = 0; i < count; i++) {
    const start = base + i;
    const span = tracer.startSpan(NAMES[i % 3], { kind: KINDS[i % 5], startTime: hrTime(start), root: i % 20 === 0 },
                                  parent);
    if (i % 7 === 3) span.setStatus({ code: SpanStatusCode.ERROR, message: 'planned' });
    if (i % 7 === 5) span.setStatus({ code: SpanStatusCode.OK });
    span.end(hrTime(start + DURATIONS_US[i % 11]));
    if (i % 20 === 0) parent = trace.setSpan(context.active(), span);
    if (i % FLUSH_EVERY === FLUSH_EVERY - 1) await provider.forceFlush();
  }
  await provider.shutdown();
}

async function sendMetrics() {
  const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-proto');
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 500,
                                                     exportTimeoutMillis: 400 });
  const provider = new MeterProvider({ readers: [reader] });
  provider.getMeter('client').createCounter('orders').add(1);
  await new Promise((resolve) => setTimeout(resolve, 2200));
  await provider.shutdown();
}

async function main(mode) {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  if (mode === 'metrics') return sendMetrics();
  const kind = mode === 'json' ? 'http' : 'proto';
  const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${kind}`);
  return sendSpans(new OTLPTraceExporter(), Number(process.env.CLIENT_SPANS));
}

main(process.argv[2]).catch((problem) => console.error(problem));
