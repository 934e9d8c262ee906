package overview

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tallyman/formats"
)

// The columns of balances.csv that are read, as numbers of the cells. The first eight are a customer's figures.
const (
	balanceCurrency = 2
	balanceOpening  = 3
	balanceClosing  = 6
	balanceFigures  = 8
	balanceBucket   = 8
)

func balanceColumns() []string {
	return []string{"external_reference", "customer_id", "currency", "opening_balance", "billed", "paid", "closing_balance", "status", "ageing_bucket"}
}

// balanceStretch is what a stretch of balances.csv comes to.
type balanceStretch struct {
	positions []byte                           // the customers' figures, one behind the other
	sums      map[string]*balanceSums          // by currency
	ageing    map[[2]string]*balanceBucketSums // by currency and bucket
}

// balanceSums are the sums of opening, billed, paid and closing.
type balanceSums [4]amountSum

type balanceBucketSums struct {
	customers int64
	owed      amountSum
}

// readBalances ages what is owed, and adds the rows up once more.
func (o *Overview) readBalances() error {
	path := filepath.Join(o.Dir, "balances.csv")
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	defer f.Close()
	sums := &control{}
	hash := sha256.New()
	ageing := map[[2]string]*bucket{}
	err = formats.EachReportStretch(f, balanceColumns(), addBalances, func(s *balanceStretch) error {
		hash.Write(s.positions)
		for currency, part := range s.sums {
			for i, total := range []*currencySums{&sums.opening, &sums.billed, &sums.paid, &sums.closing} {
				total.merge(currency, part[i].decimal())
			}
		}
		for key, part := range s.ageing {
			if ageing[key] == nil {
				ageing[[2]string{strings.Clone(key[0]), strings.Clone(key[1])}] = &bucket{}
			}
			ageing[key].customers += part.customers
			ageing[key].owed.Add(part.owed.decimal())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for key, b := range ageing {
		o.Ageing = append(o.Ageing, Ageing{Currency: key[0], Bucket: key[1], Customers: b.customers, Owed: b.owed.String()})
	}
	o.Positions = hex.EncodeToString(hash.Sum(nil))
	slices.SortFunc(o.Ageing, compareAgeing)
	o.Differences = sums.differences(o.Summary.RollForward)
	return nil
}

// addBalances adds up the rows of a stretch.
func addBalances(rows *formats.ReportRows) (*balanceStretch, error) {
	s := &balanceStretch{sums: map[string]*balanceSums{}, ageing: map[[2]string]*balanceBucketSums{}}
	for rows.Next() {
		cells := rows.Cells()
		for _, cell := range cells[:balanceFigures] {
			s.positions = append(append(s.positions, cell...), 0)
		}
		if err := s.add(cells); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *balanceStretch) add(cells []string) error {
	currency := cells[balanceCurrency]
	sums := s.sums[currency]
	if sums == nil {
		sums = &balanceSums{}
		s.sums[currency] = sums
	}
	sign := 0 // of the closing balance, which is the last
	for i := range sums {
		var err error
		if sign, err = sums[i].add(cells[balanceOpening+i]); err != nil {
			return err
		}
	}
	if sign <= 0 {
		return nil
	}
	key := [2]string{currency, cells[balanceBucket]}
	b := s.ageing[key]
	if b == nil {
		b = &balanceBucketSums{}
		s.ageing[key] = b
	}
	b.customers++
	_, err := b.owed.add(cells[balanceClosing])
	return err
}
