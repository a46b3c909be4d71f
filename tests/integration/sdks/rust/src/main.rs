//! Sends the spans of ../README.md with the OpenTelemetry SDK for Rust, whose blocking HTTP client needs no runtime.

use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::trace::Span as _;
use opentelemetry::Context;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::{Duration, SystemTime};

const NAMES: [&str; 3] = ["GET /orders", "query", "Übersicht"];
const KINDS: [SpanKind; 5] =
    [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
const DURATIONS_US: [u64; 11] =
    [500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000];

fn main() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_ansi(false)
        .init();
    let count: u64 = std::env::var("CLIENT_SPANS").unwrap().parse().unwrap();
    let mut builder = SpanExporter::builder().with_http();
    if let Ok(endpoint) = std::env::var("CLIENT_ENDPOINT") {
        builder = builder.with_endpoint(endpoint);
    }
    let provider = SdkTracerProvider::builder().with_batch_exporter(builder.build().unwrap()).build();
    let tracer = provider.tracer("client");
    let base = SystemTime::now() - Duration::from_secs(60);
    let mut parent = Context::new();
    for i in 0..count {
        let context = if i % 20 == 0 { Context::new() } else { parent.clone() };
        let start = base + Duration::from_micros(i);
        let mut span = tracer
            .span_builder(NAMES[(i % 3) as usize])
            .with_kind(KINDS[(i % 5) as usize].clone())
            .with_start_time(start)
            .start_with_context(&tracer, &context);
        match i % 7 {
            3 => span.set_status(Status::error("planned")),
            5 => span.set_status(Status::Ok),
            _ => (),
        }
        span.end_with_timestamp(start + Duration::from_micros(DURATIONS_US[(i % 11) as usize]));
        if i % 20 == 0 {
            parent = Context::new().with_remote_span_context(span.span_context().clone());
        }
    }
    if let Err(problem) = provider.shutdown() {
        eprintln!("{problem}");
    }
}
