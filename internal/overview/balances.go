package overview

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/formats"
)

// The columns of balances.csv that are read, as numbers of the cells.
const (
	balanceReference = iota
	balanceCustomer
	balanceCurrency
	balanceOpening
	balanceBilled
	balancePaid
	balanceClosing
	balanceStatus
	balanceBucket
)

func balanceColumns() []string {
	return []string{"external_reference", "customer_id", "currency", "opening_balance", "billed", "paid", "closing_balance", "status", "ageing_bucket"}
}

// Balances is what the rows of balances.csv come to: what is owed by age, the sums of the figures as they are printed, and
// whether any of them is another one than in another report.
type Balances struct {
	sums   control
	ageing map[[2]string]*bucket
	hash   hash.Hash
}

// NewBalances returns what no rows come to.
func NewBalances() *Balances { return &Balances{ageing: map[[2]string]*bucket{}, hash: sha256.New()} }

// Add adds the rows that stand behind those that were added before.
func (b *Balances) Add(rows *BalanceRows) {
	b.hash.Write(rows.positions)
	for currency, part := range rows.sums {
		for i, total := range []*currencySums{&b.sums.opening, &b.sums.billed, &b.sums.paid, &b.sums.closing} {
			total.merge(currency, part[i].decimal())
		}
	}
	for key, part := range rows.ageing {
		if b.ageing[key] == nil {
			b.ageing[[2]string{strings.Clone(key[0]), strings.Clone(key[1])}] = &bucket{}
		}
		b.ageing[key].customers += part.customers
		b.ageing[key].owed.Add(part.owed.decimal())
	}
}

// tell fills in what the rows come to.
func (b *Balances) tell(o *Overview) {
	for key, bucket := range b.ageing {
		o.Ageing = append(o.Ageing, Ageing{Currency: key[0], Bucket: key[1], Customers: bucket.customers, Owed: bucket.owed.String()})
	}
	slices.SortFunc(o.Ageing, compareAgeing)
	o.Positions = hex.EncodeToString(b.hash.Sum(nil))
	o.Differences = b.sums.differences(o.Summary.RollForward)
}

// BalanceRows is what some rows of balances.csv come to. The zero value is ready.
type BalanceRows struct {
	positions []byte // the customers' figures, one behind the other
	sums      map[string]*balanceSums
	ageing    map[[2]string]*balanceBucketSums // by currency and bucket

	// What was asked for last: most rows are of one currency, and of few buckets.
	currency string
	recent   *balanceSums
	key      [2]string
	bucket   *balanceBucketSums
}

// Reset makes it what no rows come to, to be used again.
func (b *BalanceRows) Reset() { *b = BalanceRows{positions: b.positions[:0]} }

// balanceSums are the sums of opening, billed, paid and closing.
type balanceSums [4]amountSum

type balanceBucketSums struct {
	customers int64
	owed      amountSum
}

// AddPrinted adds a row as it was printed.
func (b *BalanceRows) AddPrinted(row *formats.BalanceRow, printed *formats.PrintedBalance) error {
	a := &printed.Amounts
	return addBalance(b, row.ExternalReference, row.CustomerID, row.Currency, a[0], a[1], a[2], a[3], row.Status, printed.Bucket)
}

func addBalance[T string | []byte](b *BalanceRows, reference, customer, currency string, opening, billed, paid, closing T, status, bucket string) error {
	p := b.positions
	for _, cell := range [...]string{reference, customer, currency} {
		p = append(append(p, cell...), 0)
	}
	for _, cell := range [...]T{opening, billed, paid, closing} {
		p = append(append(p, cell...), 0)
	}
	b.positions = append(append(p, status...), 0)
	sums, sign := b.sumsOf(currency), 0 // of the closing balance, which is the last
	for i, cell := range [...]T{opening, billed, paid, closing} {
		var err error
		if sign, err = addAmount(&sums[i], cell); err != nil {
			return err
		}
	}
	if sign <= 0 {
		return nil
	}
	owed := b.bucketOf([2]string{currency, bucket})
	owed.customers++
	_, err := addAmount(&owed.owed, closing)
	return err
}

func (b *BalanceRows) sumsOf(currency string) *balanceSums {
	if b.recent != nil && b.currency == currency {
		return b.recent
	}
	if b.sums == nil {
		b.sums = map[string]*balanceSums{}
	}
	if b.sums[currency] == nil {
		b.sums[currency] = &balanceSums{}
	}
	b.currency, b.recent = currency, b.sums[currency]
	return b.recent
}

func (b *BalanceRows) bucketOf(key [2]string) *balanceBucketSums {
	if b.bucket != nil && b.key == key {
		return b.bucket
	}
	if b.ageing == nil {
		b.ageing = map[[2]string]*balanceBucketSums{}
	}
	if b.ageing[key] == nil {
		b.ageing[key] = &balanceBucketSums{}
	}
	b.key, b.bucket = key, b.ageing[key]
	return b.bucket
}

// readBalances reads the rows back.
func readBalances(dir string) (*Balances, error) {
	path := filepath.Join(dir, "balances.csv")
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	defer f.Close()
	b := NewBalances()
	err = formats.EachReportStretch(f, balanceColumns(), readBalanceRows, func(rows *BalanceRows) error {
		b.Add(rows)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// readBalanceRows adds up the rows of a stretch.
func readBalanceRows(rows *formats.ReportRows) (*BalanceRows, error) {
	b := &BalanceRows{}
	for rows.Next() {
		c := rows.Cells()
		err := addBalance(b, c[balanceReference], c[balanceCustomer], c[balanceCurrency], c[balanceOpening], c[balanceBilled], c[balancePaid],
			c[balanceClosing], c[balanceStatus], c[balanceBucket])
		if err != nil {
			return b, err
		}
	}
	return b, nil
}
