package config

import (
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// checker finds what is wrong with values that are well formed each for itself.
// What is missing is a problem only for who needs the section; what is wrong,
// for everybody.
type checker struct {
	*decoder
	cfg  *Config
	dir  string // of the configuration file
	stat func(string) (fs.FileInfo, error)
}

func (c *checker) check() {
	c.general()
	c.api()
	c.inbox()
	c.files()
	c.imports()
	c.receiver()
	c.reconcile()
	c.outputs()
	c.schedule()
}

// wrong adds a problem with the value of a key, unless the value is not known.
func (c *checker) wrong(key, message, remedy string) {
	if c.settled(key) {
		c.add(c.place(key), 0, key, message, remedy)
	}
}

// missing adds the problem of a key without a value, for who needs its section.
func (c *checker) missing(key, remedy string) {
	if c.settled(key) {
		c.add(c.place(key), sectionOf(key), key, "is missing", remedy)
	}
}

// unless adds a problem with a value, showing it.
func (c *checker) unless(ok bool, key, message, remedy string) {
	if !ok {
		c.wrong(key, message+c.shown(key), remedy)
	}
}

func (c *checker) oneOf(key, value string, known ...string) {
	c.unless(slices.Contains(known, value), key,
		"must be "+strings.Join(known[:len(known)-1], ", ")+" or "+known[len(known)-1], "write one of these")
}

func (c *checker) positive(key string, d time.Duration) {
	c.unless(d > 0, key, "must be more than nothing", "write a duration such as 30s")
}

func (c *checker) general() {
	switch merchant := c.cfg.Merchant; {
	case merchant == "":
		c.missing("merchant", "write merchant: and a short name of your own, such as acme")
	default:
		c.unless(regexp.MustCompile(`^[a-z0-9_-]{1,64}$`).MatchString(merchant), "merchant",
			"must be 1 to 64 of a-z, 0-9, _ and -", "choose such a name and keep it: files and idempotency keys are named by it")
	}
	if c.cfg.DataDir == "" {
		c.missing("data_dir", "write data_dir: ./data")
	}
}

func (c *checker) api() {
	api := &c.cfg.API
	if message := checkURL(api.BaseURL, false); message != "" {
		c.wrong("api.base_url", message, "write it as https://api.momentpay.net")
	}
	api.BaseURL = strings.TrimRight(api.BaseURL, "/")
	c.oneOf("api.mode", api.Mode, "test", "live")
	c.unless(api.Rate >= 1 && api.Rate <= 1_000_000, "api.rate", "must be at least 1 and at most 1000000 requests a second", "write a number such as 20")
	c.unless(api.Concurrency >= 1 && api.Concurrency <= MaxConcurrency, "api.concurrency", fmt.Sprintf("must be 1 to %d", MaxConcurrency), "write a number such as 8")
	c.positive("api.timeout", api.Timeout)
	c.positive("api.give_up_after", api.GiveUpAfter)
}

// checkURL says what is wrong with an address to be called, without repeating
// it: it may hold a password or a token.
func checkURL(text string, queryAllowed bool) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "must be an absolute URL"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "must be https: http is for loopback addresses only"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must be https"
	case u.User != nil:
		return "must not hold a user or password"
	case u.Fragment != "":
		return "must not hold a #"
	case !queryAllowed && (u.RawQuery != "" || u.ForceQuery):
		return "must not hold a query"
	}
	return ""
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (c *checker) imports() {
	c.oneOf("imports.existing", c.cfg.Imports.Existing, "update", "skip", "reject")
	c.oneOf("imports.crossed", c.cfg.Imports.Crossed, "flag", "net")
	c.unless(c.cfg.Imports.Canary >= 0, "imports.canary", "must not be negative", "write how many records are sent first, such as 20, or 0")
	guards := c.cfg.Imports.Guards
	c.unless(guards.MaxRejected.BasisPoints() <= 100*100, "imports.guards.max_rejected", "must be at most 100%", "write a percentage such as 5%, or off")
	c.unless(guards.MaxMissing.BasisPoints() <= 100*100, "imports.guards.max_missing", "must be at most 100%", "write a percentage such as 20%, or off")
}

func (c *checker) receiver() {
	r := c.cfg.Receiver
	c.unless(isListenAddress(r.Listen), "receiver.listen", "must be host:port", "write it as 127.0.0.1:8480")
	c.unless(regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`).MatchString(r.Path), "receiver.path", "must be a path beginning with a slash", "write it as /webhooks/moment")
	c.positive("receiver.window", r.Window)
	c.unless(r.AddressLimit >= 0 && r.AddressLimit <= 1_000_000, "receiver.address_limit", "must be 0 to 1000000", "write a number of requests a second such as 50, or 0 for no limit")
	for i, file := range r.SecretFiles {
		if file == "" {
			c.wrong(fmt.Sprintf("receiver.secret_files[%d]", i), "is empty", "name a file, or remove it from the list")
		}
	}
	if (r.TLS.CertFile == "") != (r.TLS.KeyFile == "") {
		c.wrong("receiver.tls", "has only one of cert_file and key_file", "give both, or neither behind a proxy that ends TLS")
	}
}

func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && isPort(port)
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && isDigits(text) && (n > 0 || text == "0")
}

func (c *checker) reconcile() {
	r := &c.cfg.Reconcile
	loc, err := time.LoadLocation(r.Timezone)
	named := err == nil && r.Timezone != "" && r.Timezone != "Local"
	c.unless(named, "reconcile.timezone", "must be the name of a time zone", "write an IANA name such as Africa/Johannesburg")
	calendar, err := NewCalendar(loc, r.Cutoff)
	c.unless(err == nil, "reconcile.cutoff", "must be a time of day as HH:MM, 00:00 to 24:00", `write it in quotes, such as "24:00"`)
	if named && err == nil {
		r.calendar = calendar
	}
	c.unless(r.Tolerance >= 0, "reconcile.tolerance", "must not be negative", "write minor units, such as 0")
	c.oneOf("reconcile.live", r.Live, "none", "exceptions", "all")
	ascending := len(r.Ageing) > 0 && r.Ageing[0] > 0
	for i := 1; i < len(r.Ageing); i++ {
		ascending = ascending && r.Ageing[i] > r.Ageing[i-1]
	}
	if !ascending {
		c.wrong("reconcile.ageing", "must be numbers of days, at least one, each more than the one before", "write [30, 60, 90]")
	}
	c.oneOf("reconcile.moment_report.amounts", r.MomentReport.Amounts, "major", "minor")
	for _, field := range slices.Sorted(maps.Keys(r.MomentReport.Columns)) {
		if key := "reconcile.moment_report.columns." + field; !slices.Contains(momentReportFields, field) {
			c.add(c.place(key), 0, key, "is no field of Moment's reports", "write one of "+strings.Join(momentReportFields, ", "))
		}
	}
}

func (c *checker) outputs() {
	reports := c.cfg.Reports
	if reports.Dir == "" {
		c.missing("reports.dir", "write dir: ./reports")
	}
	if len(reports.Formats) == 0 {
		c.wrong("reports.formats", "is empty", "name at least one of csv, xlsx, html")
	}
	for i, format := range reports.Formats {
		key := fmt.Sprintf("reports.formats[%d]", i)
		c.oneOf(key, format, "csv", "xlsx", "html")
		c.unless(!slices.Contains(reports.Formats[:i], format), key, "is named twice", "keep one of them")
	}
	c.excelCSV(reports.ExcelCSV)
	c.notifyURL("notify.ping_url", c.cfg.Notify.PingURL)
	c.notifyURL("notify.webhook_url", c.cfg.Notify.WebhookURL)
	c.smtp(c.cfg.Notify.SMTP)
	if listen := c.cfg.Metrics.Listen; listen != "" {
		c.unless(isListenAddress(listen), "metrics.listen", "must be host:port", "write it as 127.0.0.1:9480")
	}
}

func (c *checker) excelCSV(e ExcelCSV) {
	c.unless(slices.Contains([]string{"", ";", ",", "\t"}, e.Separator), "reports.excel_csv.separator", `must be ";", "," or "\t"`, `write the list separator of the spreadsheet's country, or "" for no such files`)
	c.unless(e.Decimal == "." || e.Decimal == ",", "reports.excel_csv.decimal", `must be "." or ","`, "write the decimal mark of the spreadsheet's country")
	if e.Separator != "" && e.Separator == e.Decimal {
		c.wrong("reports.excel_csv", "has the same sign for separator and decimal", `write separator: ";" where the decimal mark is a comma`)
	}
}

func (c *checker) notifyURL(key string, address Secret) {
	if address.IsZero() {
		return
	}
	if message := checkURL(address.Reveal(), true); message != "" {
		c.wrong(key, message, "write it as https://host/path")
	}
}

func (c *checker) schedule() {
	if len(c.cfg.Schedule) == 0 {
		c.missing("schedule", `write [{cron: "30 6 * * *", run: nightly}]`)
	}
	for i, job := range c.cfg.Schedule {
		key := fmt.Sprintf("schedule[%d]", i)
		if message := checkCron(job.Cron); message != "" {
			c.wrong(key+".cron", message+c.shown(key+".cron"), `write minute, hour, day of month, month and day of week (0 to 6), such as "30 6 * * *"`)
		}
		c.unless(job.Run == "nightly", key+".run", "must be nightly", "write run: nightly")
	}
}

// checkCron says what is wrong with a schedule. The parser panics on some zone
// prefixes, and takes days that never come.
func checkCron(spec string) (message string) {
	defer func() {
		if recover() != nil {
			message = "cannot be read as a schedule"
		}
	}()
	if strings.Contains(spec, "TZ=") {
		return "must not name a time zone: reconcile.timezone is used"
	}
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		return "cannot be read as a schedule"
	}
	if schedule.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return "never comes"
	}
	return ""
}
