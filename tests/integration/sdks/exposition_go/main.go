// A registry of client_golang that does not change, served in every format, and Prometheus' own parsers on a page:
//
//	client serve PORT
//	client parse text|openmetrics|protobuf FILE ROUNDS   prints one line of figures a parser
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func numbers(registry *prometheus.Registry) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "shop_orders_total", Help: "Orders with a \\ and\na \"line\"."},
		[]string{"path", "method"})
	for i, path := range []string{"/a", "/b\"c\\d\ne", "/über", ""} {
		counter.WithLabelValues(path, "GET").Add(float64(i) * 1.5)
		counter.WithLabelValues(path, "POST").Add(1e15 + float64(i))
	}
	odd := prometheus.NewCounter(prometheus.CounterOpts{Name: "shop_odd", Help: "A counter without its suffix."})
	odd.Add(3)
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "shop_gauge", Help: "Numbers of all kinds."}, []string{"kind"})
	for kind, value := range map[string]float64{"zero": 0, "small": 5e-324, "large": 1.7976931348623157e308, "nan": math.NaN(),
		"inf": math.Inf(1), "minus": math.Inf(-1), "third": 1.0 / 3, "negative": -42, "exponent": 1e21} {
		gauge.WithLabelValues(kind).Set(value)
	}
	untyped := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "shop_untyped", Help: "No type."}, func() float64 { return 7 })
	registry.MustRegister(counter, odd, gauge, untyped)
}

func distributions(registry *prometheus.Registry) {
	summary := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: "shop_summary", Help: "A summary.",
		Objectives: map[float64]float64{0.5: 0.05, 0.99: 0.001}}, []string{"l"})
	classic := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "shop_classic_seconds", Help: "A classic histogram.",
		Buckets: []float64{0.005, 0.5, 1, 2.5, 1e6}}, []string{"l"})
	both := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "shop_both_seconds", Help: "Classic and native.",
		Buckets: []float64{0.1, 1}, NativeHistogramBucketFactor: 1.1})
	native := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "shop_native_seconds", Help: "Native only.",
		NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: 0.001}, []string{"l"})
	for i := 1; i <= 1000; i++ {
		value := float64(i) / 100
		summary.WithLabelValues("a").Observe(value)
		classic.WithLabelValues("a").Observe(value)
		classic.WithLabelValues("a").(prometheus.ExemplarObserver).ObserveWithExemplar(value, prometheus.Labels{"trace_id": "abc"})
		both.Observe(value)
		native.WithLabelValues("a").Observe(value)
		native.WithLabelValues("a").Observe(-value)
	}
	native.WithLabelValues("a").Observe(0)
	summary.WithLabelValues("b")
	classic.WithLabelValues("b")
	registry.MustRegister(summary, classic, both, native)
}

func serve(port string) {
	registry := prometheus.NewRegistry()
	numbers(registry)
	distributions(registry)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}

func measure(name string, page []byte, rounds int, parse func([]byte) (int, error)) {
	begin, samples := cpuSeconds(), 0
	for i := 0; i < rounds; i++ {
		count, err := parse(page)
		if err != nil {
			fmt.Printf("%-34s fails: %v\n", name, err)
			return
		}
		samples = count
	}
	seconds := (cpuSeconds() - begin) / float64(rounds)
	fmt.Printf("%-34s %7.1f MB/s %6.2f M samples/s %7.1f ms CPU\n", name, float64(len(page))/1e6/seconds, float64(samples)/1e6/seconds,
		seconds*1e3)
}

// As a scrape of Prometheus does: every series' labels are made.
func parseAsPrometheus(contentType string) func([]byte) (int, error) {
	return func(page []byte) (int, error) {
		parser, err := textparse.New(page, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
		if err != nil {
			return 0, err
		}
		var series labels.Labels
		count := 0
		for {
			entry, err := parser.Next()
			if errors.Is(err, io.EOF) {
				return count, nil
			}
			if err != nil {
				return count, err
			}
			if entry == textparse.EntrySeries {
				parser.Series()
				parser.Labels(&series)
				count++
			}
		}
	}
}

func parseWithExpfmt(format expfmt.Format) func([]byte) (int, error) {
	return func(page []byte) (int, error) {
		decoder := expfmt.NewDecoder(bytes.NewReader(page), format)
		count := 0
		for {
			var family dto.MetricFamily
			if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
				return count, nil
			} else if err != nil {
				return count, err
			}
			count += len(family.Metric)
		}
	}
}

func parse(format, path, rounds string) {
	page, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	n, _ := strconv.Atoi(rounds)
	const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	model.NameValidationScheme = model.UTF8Validation
	switch format {
	case "text":
		measure("Prometheus textparse", page, n, parseAsPrometheus("text/plain;version=0.0.4"))
		measure("Prometheus expfmt", page, n, parseWithExpfmt(expfmt.NewFormat(expfmt.TypeTextPlain)))
	case "openmetrics":
		measure("Prometheus textparse", page, n, parseAsPrometheus("application/openmetrics-text;version=1.0.0"))
	case "protobuf":
		measure("Prometheus textparse", page, n, parseAsPrometheus(protobuf))
		measure("Prometheus expfmt", page, n, parseWithExpfmt(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	}
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		serve(os.Args[2])
	case len(os.Args) == 5 && os.Args[1] == "parse":
		parse(os.Args[2], os.Args[3], os.Args[4])
	default:
		log.Fatal("usage: client serve PORT | client parse FORMAT FILE ROUNDS")
	}
}
