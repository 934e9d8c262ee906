package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// benchConcurrency is how many requests are in flight in the benchmarks.
const benchConcurrency = 64

// answerAtOnce is a process of its own that answers every create with a customer and remembers nothing. It prints its
// address, and ends with its standard input.
func answerAtOnce() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("http://" + l.Addr().String())
	var created atomic.Int64
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || len(body) < 2 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer := fmt.Appendf(nil, `{"id":"bcus_%026d",%s,"payment_rules":{}}`, created.Add(1), body[1:len(body)-1])
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer)
	})}
	go func() { _ = server.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
}

// sendBare is what an import is compared with: a process of its own that sends as many creates with nothing but net/http,
// and records nothing. Its arguments are the address and how many.
func sendBare() {
	url := os.Args[1] + "/billing/customers"
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchConcurrency}}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range benchConcurrency {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := sendOne(client, url, i); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		})
	}
	wg.Wait()
}

func sendOne(client *http.Client, url string, i int64) error {
	body := fmt.Appendf(nil, `{"external_reference":"ACC-%d","name":"Customer Number %d","email":"customer%d@example.com","phone":"+2782%07d","currency":"ZAR","balance":%d,"metadata":{"tariff":"home"}}`,
		i, i, i, i%10_000_000, i%100_000)
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer sk_test_benchmark")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("00000000-0000-5000-8000-%012d", i))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err
}

// startAnswering starts answerAtOnce and returns its address.
func startAnswering(b *testing.B) string {
	b.Helper()
	cmd := exec.Command("answer-at-once")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// BenchmarkAgainstBare lets the program and a bare client send the same rows to the same server by turns, each of the three
// in a process of its own, and reports how they compare.
func BenchmarkAgainstBare(b *testing.B) {
	const rows = 50_000
	url := startAnswering(b)
	dir := b.TempDir()
	file := filepath.Join(dir, "customers.csv")
	generate(b, file, rows+1, customerLine)
	var ours, bare spent
	for i := range b.N {
		cfg := filepath.Join(dir, fmt.Sprint(i), "tallyman.yaml")
		if err := os.Mkdir(filepath.Dir(cfg), 0o700); err != nil {
			b.Fatal(err)
		}
		generate(b, cfg, 1, func(int) string {
			return fmt.Sprintf("merchant: acme\napi: {base_url: %s, key: sk_test_benchmark, mode: test, rate: 1000000, concurrency: %d}", url, benchConcurrency)
		})
		bare.add(spend(b, exec.Command("send-bare", url, fmt.Sprint(rows))))
		ours.add(spend(b, exec.Command("tallyman", "import", "--quiet", "--config", cfg, file)))
	}
	ours.report(b, "rows", rows*b.N)
	b.ReportMetric(bare.took.Seconds()/ours.took.Seconds(), "rate-of-bare")
	b.ReportMetric(ours.cpu.Seconds()/bare.cpu.Seconds(), "cpu-of-bare")
}
