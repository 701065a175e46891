// Package results reads what runs left behind and says it to people: the records of trainings on disk, statistics over
// seeds, and tables as text, CSV and Markdown. Package plot, below, draws.
//
// A number over several runs always comes with how many they were and with their spread: the range under five runs, the
// standard deviation from five on.
package results
