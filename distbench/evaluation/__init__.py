"""From points and an encoder to a report: settings, encoding, measuring, limits, comparison."""
