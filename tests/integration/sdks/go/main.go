// Sends the spans of ../README.md with the OpenTelemetry SDK for Go.
package main

import (
	"context"
	"log"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var (
	names = []string{"GET /orders", "query", "Übersicht"}
	kinds = []trace.SpanKind{trace.SpanKindInternal, trace.SpanKindServer, trace.SpanKindClient,
		trace.SpanKindProducer, trace.SpanKindConsumer}
	durationsUs = []int{500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000}
)

func main() {
	root := context.Background()
	count, err := strconv.Atoi(os.Getenv("CLIENT_SPANS"))
	if err != nil {
		log.Fatal(err)
	}
	exporter, err := otlptracehttp.New(root)
	if err != nil {
		log.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	tracer := provider.Tracer("client")
	base := time.Now().Add(-time.Minute)
	parent := root
	for i := range count {
		ctx := parent
		if i%20 == 0 {
			ctx = root
		}
		start := base.Add(time.Duration(i) * time.Microsecond)
		ctx, span := tracer.Start(ctx, names[i%3], trace.WithSpanKind(kinds[i%5]), trace.WithTimestamp(start))
		switch i % 7 {
		case 3:
			span.SetStatus(codes.Error, "planned")
		case 5:
			span.SetStatus(codes.Ok, "")
		}
		span.End(trace.WithTimestamp(start.Add(time.Duration(durationsUs[i%11]) * time.Microsecond)))
		if i%20 == 0 {
			parent = ctx
		}
	}
	if err := provider.Shutdown(root); err != nil {
		log.Fatal(err)
	}
}
