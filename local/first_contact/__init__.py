"""The first hour with a real account: order each export once, keep the results, and show what they are."""
