package page_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/internal/overview"
	"tallyman/internal/reporttest"
)

// browse lets Chromium open a page and returns what it has made of it.
func browse(t *testing.T, url string, flags ...string) string {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing: CI=1 make office installs it")
		}
		t.Skip("NOT TESTED: chromium is missing, so no browser has opened the page; CI=1 make office installs it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
	}, flags...)
	cmd := exec.CommandContext(ctx, program, append(args, url)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}

// serve answers with a page, and counts what else is asked for.
func serve(t *testing.T, pages map[string]string) (url string, others *atomic.Int64) {
	t.Helper()
	others = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		html, ok := pages[r.URL.Path]
		if !ok {
			if r.URL.Path != "/favicon.ico" {
				others.Add(1)
			}
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html))
	}))
	t.Cleanup(server.Close)
	return server.URL, others
}

// frame is a page of the test's own that holds the page at one width, measures it and writes down what it found.
func frame(width string) string {
	return `<!DOCTYPE html><body style="margin:0"><iframe id="f" src="/report.html" style="border:0;height:4000px;width:` + width + `px"></iframe>
<pre id="found"></pre><script>
document.getElementById("f").onload = function () {
  var doc = this.contentDocument, wide = [], root = doc.documentElement;
  doc.querySelectorAll("main *, header *, footer *").forEach(function (e) {
    var box = e.getBoundingClientRect();
    if (box.width > 1 && box.right > root.clientWidth + 1) wide.push(e.tagName + ":" + e.textContent.slice(0, 30));
    if (e.className == "word" && e.getClientRects().length != 1) wide.push("broken " + e.textContent);
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && getComputedStyle(e).display != "inline") wide.push("in " + e.tagName + ":" + e.textContent.slice(0, 30));
  });
  document.getElementById("found").textContent = JSON.stringify({scroll: root.scrollWidth, client: root.clientWidth, title: doc.title, scripts: doc.scripts.length, wide: wide.slice(0, 12)});
};
</script>`
}

var found = regexp.MustCompile(`(?s)<pre id="found">(.*?)</pre>`)

// hostilePage is the page of a report with names that nobody would want on it.
func hostilePage(t *testing.T) string {
	return write(t, reporttest.Write(t, reporttest.Options{Customers: 400}), func(o *overview.Overview) {
		for i := range o.Breaks {
			o.Breaks[i].Reference = reporttest.Name(i*3 + 1)
			o.Breaks[i].Detail, o.Breaks[i].Owner = reporttest.Name(14), reporttest.Name(4)
		}
		for i := range 6 {
			o.Changes = append(o.Changes, overview.Change{Kind: "customer", Reference: reporttest.Name(i + 10), Currency: "ZAR", Figure: "closing_balance", Old: "123456789012.00", New: "-1.00"})
		}
		o.ChangeCount = 4000
	})
}

// Nothing stands out of the page on a laptop, a tablet and a phone, nothing runs, and nothing is fetched.
func TestBrowser(t *testing.T) {
	pages := map[string]string{"/report.html": hostilePage(t)}
	widths := []string{"1400", "1280", "768", "360"}
	for _, width := range widths {
		pages["/"+width] = frame(width)
	}
	url, others := serve(t, pages)
	for _, width := range widths {
		dom := browse(t, url+"/"+width, "--dump-dom", "--window-size=1500,1000", "--virtual-time-budget=5000")
		m := found.FindStringSubmatch(dom)
		if m == nil || !strings.Contains(m[1], `"scroll":`+width+`,"client":`+width) || !strings.Contains(m[1], `"wide":[]`) {
			t.Errorf("at %s: %q", width, m)
			continue
		}
		if !strings.Contains(m[1], `"title":"acme · Reconciliation 2026-11-22","scripts":0`) {
			t.Errorf("at %s: %s", width, m[1])
		}
	}
	if n := others.Load(); n != 0 {
		t.Errorf("%d other things were asked for", n)
	}
}

// The content policy holds in a browser even for what would get into the page.
func TestPolicyHolds(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	bad := `<img src="` + other.URL + `/x"><script>document.title="owned"</script><link rel=stylesheet href="` + other.URL + `/y">`
	html := strings.Replace(hostilePage(t), "<main>", "<main>"+bad, 1)
	url, _ := serve(t, map[string]string{"/report.html": html})
	dom := browse(t, url+"/report.html", "--dump-dom", "--virtual-time-budget=3000")
	if !strings.Contains(dom, "<title>acme · Reconciliation 2026-11-22</title>") {
		t.Error("a script ran")
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d things were fetched", n)
	}
}

// On paper it is A4, and more than nothing.
func TestPrinted(t *testing.T) {
	dir := t.TempDir()
	source, paper := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.pdf")
	if err := os.WriteFile(source, []byte(hostilePage(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	browse(t, "file://"+source, "--no-pdf-header-footer", "--print-to-pdf="+paper)
	pdf, err := os.ReadFile(paper)
	if err != nil {
		t.Fatal(err)
	}
	box := regexp.MustCompile(`/MediaBox \[0 0 (594|595)\.?\d* (841|842)\.?\d*\]`)
	if n := len(box.FindAll(pdf, -1)); n < 1 || n > 6 {
		t.Errorf("%d pages of A4 in %d bytes", n, len(pdf))
	}
}
