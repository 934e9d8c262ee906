package config

import (
	"strings"
	"testing"
)

// inbox is a whole inbox section but for what a test adds.
const inboxText = "inbox:\n  address: sftp.example.com:22\n  user: acme\n  pattern: \"a_{date}.csv\"\n"

const (
	pinText  = "  host_keys: [\"SHA256:U59VmMiIqw97aQeZK5T2mVCK4XfHB7QuOX06JuBrglM\"]\n"
	loginKey = "  key_file: id\n"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		need       Section
		want       string // the key and beginning of the only problem; empty for none
	}{
		{"merchant with a capital", "merchant: Acme", 0, "merchant must be 1 to 64"},
		{"merchant too long", "merchant: " + strings.Repeat("a", 65), 0, "merchant must be 1 to 64"},
		{"merchant with digits and signs", "merchant: a_1-b", 0, ""},
		{"data_dir empty", `data_dir: ""`, SectionDataDir, "data_dir is missing"},

		{"https", "api: {base_url: \"https://api.example.com/v2\"}", 0, ""},
		{"http on loopback", "api: {base_url: \"http://[::1]:8080\"}", 0, ""},
		{"http on 127.x", "api: {base_url: \"http://127.1.2.3:8080\"}", 0, ""},
		{"http on localhost", "api: {base_url: \"http://localhost:8080\"}", 0, ""},
		{"http elsewhere", "api: {base_url: \"http://10.0.0.1\"}", 0, "api.base_url must be https"},
		{"loopback as a subdomain", "api: {base_url: \"http://127.0.0.1.example.com\"}", 0, "api.base_url must be https"},
		{"other scheme", "api: {base_url: \"ftp://localhost\"}", 0, "api.base_url must be https"},
		{"no scheme", "api: {base_url: api.momentpay.net}", 0, "api.base_url must be an absolute URL"},
		{"no host", "api: {base_url: \"https://:443\"}", 0, "api.base_url must be an absolute URL"},
		{"user", "api: {base_url: \"https://me:pw@api.example.com\"}", 0, "api.base_url must not hold a user"},
		{"query", "api: {base_url: \"https://api.example.com/?k=v\"}", 0, "api.base_url must not hold a query"},
		{"fragment", "api: {base_url: \"https://api.example.com/#k\"}", 0, "api.base_url must not hold a #"},
		{"mode", "api: {mode: sandbox}", 0, "api.mode must be test or live, not \"sandbox\""},
		{"rate 0", "api: {rate: 0}", 0, "api.rate must be at least 1"},
		{"rate -1", "api: {rate: -1}", 0, "api.rate must be at least 1"},
		{"concurrency 0", "api: {concurrency: 0}", 0, "api.concurrency must be 1 to 256"},
		{"rate 1", "api: {rate: 1}", 0, ""},
		{"concurrency 1", "api: {concurrency: 1}", 0, ""},
		{"a bare question mark", "api: {base_url: \"https://api.example.com/?\"}", 0, "api.base_url must not hold a query"},
		{"concurrency 257", "api: {concurrency: 257}", 0, "api.concurrency must be 1 to 256"},
		{"concurrency 256", "api: {concurrency: 256}", 0, ""},
		{"timeout 0", "api: {timeout: 0s}", 0, "api.timeout must be more than nothing"},
		{"give up", "api: {give_up_after: -1m}", 0, "api.give_up_after must be more than nothing"},

		{"inbox whole", inboxText + pinText + loginKey, SectionInbox, ""},
		{"inbox with the agent", inboxText + pinText + "  agent: true\n", SectionInbox, ""},
		{"inbox with known hosts", inboxText + loginKey + "  known_hosts_file: hosts\n", SectionInbox, ""},
		{"inbox without a way in", inboxText + pinText, SectionInbox, "inbox.key_file is missing"},
		{"inbox without a pin", inboxText + loginKey, SectionInbox, "inbox.host_keys is missing"},
		{"passphrase of nothing", inboxText + pinText + "  agent: true\n  key_passphrase: secret\n", SectionInbox, "inbox.key_passphrase is there without a key_file"},
		{"pin of MD5", "inbox: {host_keys: [\"MD5:00:11\"]}", 0, "inbox.host_keys[0] must be a SHA-256 fingerprint"},
		{"pin cut short", "inbox: {host_keys: [\"SHA256:U59VmMiIqw97aQeZK5T2mVCK4XfHB7QuOX06JuBrgl\"]}", 0, "inbox.host_keys[0] must be a SHA-256 fingerprint"},
		{"pin with padding", "inbox: {host_keys: [\"SHA256:U59VmMiIqw97aQeZK5T2mVCK4XfHB7QuOX06JuBrglM=\"]}", 0, "inbox.host_keys[0] must be a SHA-256 fingerprint"},
		{"address without a port", "inbox: {address: sftp.example.com}", 0, "inbox.address must be host:port"},
		{"address with a user", "inbox: {address: \"me@sftp.example.com:22\"}", 0, "inbox.address must be host:port"},
		{"address with port 0", "inbox: {address: \"sftp.example.com:0\"}", 0, "inbox.address must be host:port"},
		{"address of IPv6", "inbox: {address: \"[2001:db8::1]:22\"}", 0, ""},
		{"archive is the inbox", "inbox: {path: /up, archive: /up/}", 0, "inbox.archive must not be inbox.path"},
		{"rejected is the inbox", "inbox: {path: /up, rejected: /up/x/..}", 0, "inbox.rejected must not be inbox.path"},
		{"deliver is the inbox", "inbox: {path: /up, deliver: /up}", 0, "inbox.deliver must not be inbox.path"},
		{"nowhere to deliver", "inbox: {deliver: \"\"}", 0, ""},
		{"two dates", "inbox: {pattern: \"{date}_{date}\"}", 0, "inbox.pattern has more than one {date}"},
		{"another place", "inbox: {pattern: \"a_{day}.csv\"}", 0, "inbox.pattern has braces that are not {date}"},
		{"pattern with a directory", "inbox: {pattern: \"in/{date}.csv\"}", 0, "inbox.pattern must be a file name"},
		{"expected at noon", "inbox: {expect_by: \"12:00\"}", 0, ""},
		{"expected never", "inbox: {expect_by: \"\"}", 0, ""},
		{"expected at 7", "inbox: {expect_by: \"7:00\"}", 0, "inbox.expect_by must be a time of day"},
		{"settle", "inbox: {settle: -1s}", 0, "inbox.settle must not be negative"},

		{"format", "files: {format: csv}", 0, "files.format must be customers, moment-billing-file or columns"},
		{"currency", "files: {currency: rand}", 0, "files.currency must be three capital letters"},
		{"no currency", "files: {currency: \"\"}", 0, ""},
		{"phone country", "files: {phone_country: ZAF}", 0, "files.phone_country must be two capital letters"},
		{"billing file in minor units", "files: {format: moment-billing-file, reference_column: r, amounts: minor}", 0, "files.amounts must be major"},
		{"billing file without a reference", "files: {format: moment-billing-file}", 0, "files.reference_column is needed"},
		{"amounts", "files: {amounts: cents}", 0, "files.amounts must be minor or major"},
		{"encoding", "files: {encoding: latin1}", 0, "files.encoding must be auto"},
		{"delimiter", "files: {delimiter: \":\"}", 0, "files.delimiter must be auto"},
		{"tab", `files: {delimiter: "\t"}`, 0, ""},
		{"decimal", "files: {decimal: \";\"}", 0, "files.decimal must be"},
		{"group like decimal", "files: {decimal: \",\", group: \",\"}", 0, "files.group must not be the same"},
		{"a metadata key of 40", "files: {format: columns, columns: {external_reference: no, metadata." + strings.Repeat("k", 40) + ": s}}", 0, ""},
		{"columns", "files: {format: columns, columns: {external_reference: no, name: \"{first} {last}\", metadata.site: s}}", 0, ""},
		{"columns without a reference", "files: {format: columns, columns: {name: n}}", 0, "files.columns does not say where external_reference"},
		{"columns of another format", "files: {columns: {name: n}}", 0, "files.columns is there, but format is customers"},
		{"columns to nowhere", "files: {format: columns, columns: {external_reference: a, surname: b}}", 0, "files.columns.surname is no field"},
		{"a constant and rules", "files: {format: columns, columns: {external_reference: \"{a|trim|pad:10}\", currency: \"=ZAR\"}}", 0, ""},
		{"PGP without a key", "files: {pgp: {signers: [a.asc]}}", 0, "files.pgp does not say what decrypts"},
		{"PGP passphrase without a key", "files: {pgp: {passphrase: open}}", 0, "files.pgp does not say what decrypts"},
		{"PGP signature by nobody", "files: {pgp: {key_file: k.asc, require_signature: true}}", 0, "files.pgp.require_signature is true, but nobody may sign"},
		{"PGP", "files: {pgp: {key_file: k.asc, signers: [a.asc, b.asc], require_signature: true}}", 0, ""},
		{"template half open", "files: {format: columns, columns: {external_reference: a, name: \"{b\"}}", 0, "files.columns.name has a brace"},
		{"column without a name", "files: {format: columns, columns: {external_reference: \"\"}}", 0, "files.columns.external_reference names no column"},
		{"trailer", "files: {trailer: {match: T, count_column: name}}", 0, ""},
		{"trailer unknown", "files: {trailer: {sum_column: b}}", 0, "files.trailer does not say how to know"},
		{"trailer of nothing", "files: {trailer: {match: T}}", 0, "files.trailer has nothing to compare"},

		{"existing", "imports: {existing: replace}", 0, "imports.existing must be update, skip or reject"},
		{"crossed", "imports: {crossed: take}", 0, "imports.crossed must be flag or net"},
		{"as many rejected as there are", "imports: {guards: {max_rejected: 100%}}", 0, ""},
		{"more missing than there are", "imports: {guards: {max_missing: 100.01%}}", 0, "imports.guards.max_missing must be at most 100%"},
		{"more rejected than there are", "imports: {guards: {max_rejected: 101%}}", 0, "imports.guards.max_rejected must be at most 100%"},
		{"unit shift", "imports: {guards: {unit_shift: 5%}}", 0, "imports.guards.unit_shift must be true or off"},

		{"listen", "receiver: {listen: \"8480\"}", 0, "receiver.listen must be host:port"},
		{"listen everywhere", "receiver: {listen: \":8480\"}", 0, ""},
		{"webhook path", "receiver: {path: webhooks}", 0, "receiver.path must be a path"},
		{"window", "receiver: {window: 0s}", 0, "receiver.window must be more than nothing"},
		{"half of TLS", "receiver: {tls: {cert_file: c}}", 0, "receiver.tls has only one"},
		{"secret file without a name", "receiver: {secret_files: [\"\"]}", 0, "receiver.secret_files[0] is empty"},

		{"zone", "reconcile: {timezone: Johannesburg}", 0, "reconcile.timezone must be the name"},
		{"zone of the machine", "reconcile: {timezone: Local}", 0, "reconcile.timezone must be the name"},
		{"no zone", "reconcile: {timezone: \"\"}", 0, "reconcile.timezone must be the name"},
		{"cut-off", "reconcile: {cutoff: \"24:01\"}", 0, "reconcile.cutoff must be a time of day"},
		{"cut-off as a number", "reconcile: {cutoff: 18}", 0, "reconcile.cutoff must be a time of day"},
		{"tolerance", "reconcile: {tolerance: -1}", 0, "reconcile.tolerance must not be negative"},
		{"one age", "reconcile: {ageing: [7]}", 0, ""},
		{"no ages", "reconcile: {ageing: []}", 0, "reconcile.ageing must be numbers of days"},
		{"age 0", "reconcile: {ageing: [0, 30]}", 0, "reconcile.ageing must be numbers of days"},
		{"an age twice", "reconcile: {ageing: [30, 30]}", 0, "reconcile.ageing must be numbers of days"},
		{"ages out of order", "reconcile: {ageing: [30, 60, 45]}", 0, "reconcile.ageing must be numbers of days"},
		{"a field that reports have not", "reconcile: {moment_report: {columns: {colour: c}}}", 0, "reconcile.moment_report.columns.colour is no field of Moment's reports"},
		{"live", "reconcile: {live: yes}", 0, "reconcile.live must be none, exceptions or all"},

		{"report form", "reports: {formats: [pdf]}", 0, "reports.formats[0] must be csv, xlsx or html"},
		{"report form twice", "reports: {formats: [csv, csv]}", 0, "reports.formats[1] is named twice"},
		{"no report form", "reports: {formats: []}", 0, "reports.formats is empty"},
		{"one sign for two things", "reports: {excel_csv: {separator: \",\", decimal: \",\"}}", 0, "reports.excel_csv has the same sign"},
		{"no report directory", "reports: {dir: \"\"}", SectionReports, "reports.dir is missing"},

		{"nothing scheduled", "schedule: []", SectionSchedule, "schedule is missing"},
		{"job", "schedule: [{cron: \"@daily\", run: backup}]", 0, "schedule[0].run must be nightly, not \"backup\""},
		{"job without a name", "schedule: [{cron: \"@daily\"}]", 0, "schedule[0].run must be nightly"},
		{"cron with a zone", "schedule: [{cron: \"CRON_TZ=UTC 30 6 * * *\", run: nightly}]", 0, "schedule[0].cron must not name a time zone"},
		{"cron that the parser panics on", "schedule: [{cron: \"TZ=0\", run: nightly}]", 0, "schedule[0].cron must not name a time zone"},
		{"cron that never comes", "schedule: [{cron: \"0 0 30 2 *\", run: nightly}]", 0, "schedule[0].cron never comes"},
		{"cron on leap days", "schedule: [{cron: \"0 0 29 2 *\", run: nightly}]", 0, ""},
		{"cron with 7 for Sunday", "schedule: [{cron: \"0 0 * * 7\", run: nightly}]", 0, "schedule[0].cron cannot be read"},
		{"cron with seconds", "schedule: [{cron: \"0 30 6 * * *\", run: nightly}]", 0, "schedule[0].cron cannot be read"},

		{"ping", "notify: {ping_url: \"https://hc.example.com/abc?x=1\"}", 0, ""},
		{"ping without TLS", "notify: {ping_url: \"http://hc.example.com/abc\"}", 0, "notify.ping_url must be https"},
		{"notification", "notify: {webhook_url: hooks}", 0, "notify.webhook_url must be an absolute URL"},
		{"metrics", "metrics: {listen: all}", 0, "metrics.listen must be host:port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := problems(t, tt.text, environ(), tt.need)
			switch {
			case tt.want == "" && got != nil:
				t.Errorf("problems %q, want none", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], ": "+tt.want)):
				t.Errorf("problems %q, want one: %q", got, tt.want)
			}
		})
	}
}
