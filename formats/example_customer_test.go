package formats_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"tallyman/formats"
)

func ExampleCustomerReader() {
	file := `Konto;Voornaam;Van;Saldo
1042;Jan;van Wyk;1 234,56
77;Lerato;Mokoena;12,345
`
	r, err := formats.NewCustomerReader(strings.NewReader(file), formats.CustomerOptions{
		Format: formats.FormatColumns, Currency: "ZAR", Major: true, Marks: formats.Marks{Decimal: ',', Group: ' '},
		Columns: map[string]string{"external_reference": "{Konto|pad:6}", "name": "{Voornaam} {Van}", "balance": "Saldo"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println("nothing of the file may be used:", err)
			return
		}
		for _, p := range record.Problems {
			fmt.Println(p)
		}
		if c := record.Customer; len(record.Problems) == 0 {
			fmt.Println(c.ExternalReference, c.Name, formats.FormatMajor(c.Balance.Minor, c.Currency), c.Currency)
		}
	}
	// Output:
	// 001042 Jan van Wyk 1234.56 ZAR
	// line 3, Saldo: bad_balance: ZAR has 2 decimals, and rounding is nobody's decision here
}
