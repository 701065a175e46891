// Package results reads what trainings left behind on disk and says numbers to people: percentages, statistics over seeds,
// and tables as text, CSV and Markdown. Package plot, below, draws.
//
// A number over several runs always comes with how many they were and with their spread: the range under five runs, the
// standard deviation from five on.
package results
