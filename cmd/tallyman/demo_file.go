package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// The people of the demonstration. Any likeness is an accident; the names are there for their letters.
var (
	demoGiven = []string{
		"Thandiwe", "Sipho", "Zoë", "Naledi", "Johan", "Aïcha", "Kwame", "Lerato", "Ngũgĩ", "Chloé", "Themba", "Ọlá", "Fatima",
		"André", "Nomvula", "Pieter", "Yusuf", "Anneliese", "Bongani", "Søren",
	}
	demoFamily = []string{
		"Dlamini", "van der Merwe", "Nkosi", "Botha", "Mokoena", "O’Brien", "Naidoo", "Adébáyọ̀", "Müller", "Khumalo", "Jacobs",
		"Ndlovu", "Çelik", "Pillay", "Mahlangu", "de Villiers", "Wanjikũ", "Łukaszewicz",
	}
	demoTariffs = []string{"home", "home-prepaid", "business", "farm"}
)

// demoMistakes are what real files have wrong in them: the fields of a good record in, those of a wrong one out.
var demoMistakes = []func(record []string){
	func(r []string) { r[0] = "ACC 100 17" },                        // a space in the reference
	func(r []string) { r[2] = "thandiwe(at)example.com" },           // no e-mail address
	func(r []string) { r[3] = "082 123 456" },                       // a phone number that lacks a digit
	func(r []string) { r[5] = "249.50" },                            // major units among minor ones
	func(r []string) { r[0] = "2.78E+10" },                          // a spreadsheet was here
	func(r []string) { r[4] = "Rand" },                              // no ISO 4217 code
	func(r []string) { r[0] = ""; r[1] = "Nobody has a reference" }, // no reference
}

// writeDemoFile writes a believable customer file of so many records, some of them wrong. The same date gives the same
// file.
func writeDemoFile(w io.Writer, records int, date string) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"external_reference", "name", "email", "phone", "currency", "balance", "metadata.tariff", "due_date"}); err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return err
	}
	// Not for secrets: the demonstration is to look the same each time.
	random := rand.New(rand.NewPCG(20, 26))
	var last []string
	for i := range records {
		record := demoRecord(random, i, day)
		switch {
		case i == records/3 && last != nil:
			record = append([]string{}, last...) // the same customer once more
		case i == records/2 && last != nil:
			record = append([]string{}, last...) // and once with another balance: which one is right?
			record[5] = "1"
		case i%29 == 11 && i/29 < len(demoMistakes):
			demoMistakes[i/29](record)
		}
		if err := out.Write(record); err != nil {
			return err
		}
		last = record
	}
	out.Flush()
	return out.Error()
}

func demoRecord(random *rand.Rand, i int, day time.Time) []string {
	name := demoGiven[random.IntN(len(demoGiven))] + " " + demoFamily[random.IntN(len(demoFamily))]
	balance := 5000 + random.IntN(250_000)
	switch {
	case i%17 == 3:
		balance = -random.IntN(20_000) - 1 // paid too much last month
	case i%23 == 5:
		balance = 0
	}
	email, phone := fmt.Sprintf("customer%d@example.com", 10_001+i), fmt.Sprintf("+2782%07d", 1_234_567+7*i)
	if i%5 == 2 {
		email = ""
	}
	if i%7 == 4 {
		phone = ""
	}
	due := day.AddDate(0, 0, random.IntN(60)-30).Format(time.DateOnly)
	return []string{fmt.Sprintf("ACC-%d", 10_001+i), name, email, phone, "ZAR", fmt.Sprint(balance), demoTariffs[random.IntN(len(demoTariffs))], due}
}
