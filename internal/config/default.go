package config

import "time"

// Default returns the configuration of an empty file. It is not usable as it
// is: merchant, the API key, the inbox and the webhook secrets have no default.
// Paths are relative.
func Default() *Config {
	return &Config{
		DataDir: "./data",
		API: API{
			BaseURL:     "https://api.momentpay.net",
			Mode:        "test",
			Rate:        20,
			Concurrency: 8,
			Timeout:     30 * time.Second,
			GiveUpAfter: 15 * time.Minute,
		},
		Inbox: Inbox{
			Path:     "/outgoing",
			Settle:   30 * time.Second,
			Archive:  "/outgoing/archive",
			Rejected: "/outgoing/rejected",
			Deliver:  "/incoming/tallyman",
			ExpectBy: "07:00",
		},
		Files: Files{
			Format:       "customers",
			Currency:     "ZAR",
			Amounts:      "minor",
			Encoding:     "auto",
			Delimiter:    "auto",
			Decimal:      ".",
			PhoneCountry: "ZA",
			Columns:      map[string]string{},
		},
		Imports: Imports{
			Existing: "update",
			Crossed:  "flag",
			Guards: Guards{
				MaxRejected:      PercentGuard(5),
				MaxMissing:       PercentGuard(20),
				MaxBalanceChange: PercentGuard(50),
				UnitShift:        true,
				SameContent:      true,
			},
		},
		Receiver: Receiver{
			Listen: "127.0.0.1:8480",
			Path:   "/webhooks/moment",
			Window: 3 * time.Minute,

			Retired: map[string]string{},

			AddressLimit: 50,
		},
		Reconcile: Reconcile{Timezone: "Africa/Johannesburg", Cutoff: "24:00", Live: "exceptions", Ageing: []int{30, 60, 90}, MomentReport: MomentReport{Columns: map[string]string{}, Amounts: "major"}},
		Reports:   Reports{Dir: "./reports", Formats: []string{"csv", "xlsx", "html"}, ExcelCSV: ExcelCSV{Decimal: ","}},
		Notify:    Notify{SMTP: SMTP{TLS: "starttls"}},
		Schedule:  []Job{{Cron: "30 6 * * *", Run: "nightly"}},
		Keep:      Keep{Runs: 400},
	}
}
