package config

// momentReportFields are the fields of Moment's reports; a test of the reader holds them against its own.
var momentReportFields = []string{"amount", "currency", "customer_reference", "id", "merchant_reference", "payment_id", "timestamp", "type"}
