#!/usr/bin/env Rscript
# Reference values for the tests of src/compare, by an independent implementation: base R's own
# distributions and p.adjust, and the definitions written out where base R has no function.
# usage: tools/statistics-reference.R > tests/data/statistics/reference.h

options(digits = 17)
number <- function(x) ifelse(x == round(x) & abs(x) < 1e15, sprintf("%.0f", x), sprintf("%.15g", x))
row <- function(...) cat("    {", paste(number(c(...)), collapse = ", "), "},\n", sep = "")
table_of <- function(name, fields, source) {
    cat("\n/* ", source, " */\nstatic const struct {\n    double ", fields, ";\n} ", name, "[] = {\n",
        sep = "")
}
end <- function() cat("};\n")

cat("#pragma once\n\n/* Made by tools/statistics-reference.R with ", R.version.string,
    ".\n * Do not edit. */\n\n/* clang-format off */\n", sep = "")

table_of("wilson_reference", "hits, n, confidence, low, high",
         "prop.test(hits, n, conf.level = confidence, correct = FALSE)$conf.int")
for (r in list(c(0, 10), c(10, 10), c(1, 10), c(81, 263), c(990, 1000), c(2995, 2995), c(1, 1),
               c(431990, 432000)))
    for (level in c(0.90, 0.95, 0.99)) {
        ci <- suppressWarnings(prop.test(r[1], r[2], conf.level = level, correct = FALSE))$conf.int
        row(r[1], r[2], level, ci[1], ci[2])
    }
end()

table_of("ranks_reference", "n, q, confidence, low, high",
         "qbinom: the two-sided ranks of a quantile's range, half of the risk on either side")
for (n in c(73, 100, 250, 1000, 2880, 100000))
    for (q in c(0.5, 0.95))
        for (level in c(0.95, 0.99)) {
            risk <- (1 - level) / 2
            # low: the largest rank r with P(X <= r - 1) <= risk; high: the least with P(X >= r) <= risk
            low <- qbinom(risk, n, q) + (pbinom(qbinom(risk, n, q), n, q) <= risk)
            high <- qbinom(risk, n, q, lower.tail = FALSE) + 1
            if (low >= 1 && high <= n) row(n, q, level, low, high)
        }
end()

table_of("t_reference", "mean_of_8[8], confidence, low, high", "t.test(x, conf.level = confidence)")
x <- c(12, 15, 11, 14, 18, 13, 16, 12.5)
for (level in c(0.90, 0.95, 0.99)) {
    ci <- t.test(x, conf.level = level)$conf.int
    cat("    {{", paste(number(x), collapse = ", "), "}, ", number(level), ", ", number(ci[1]), ", ",
        number(ci[2]), "},\n", sep = "")
}
end()

cat("\n/* p.adjust(p, \"holm\") */\nenum { HOLM_N = 7 };\n")
table_of("holm_reference", "p[HOLM_N], adjusted[HOLM_N]", "three families")
for (p in list(c(0.01, 0.04, 0.03, 0.005, 0.2, 0.9, 0.04), c(0.001, 0.001, 0.001, 0.5, 0.5, 1, 0),
               c(0.02, 0.0072, 0.0071, 0.3, 0.012, 0.0083, 0.05)))
    cat("    {{", paste(number(p), collapse = ", "), "}, {",
        paste(number(p.adjust(p, "holm")), collapse = ", "), "}},\n", sep = "")
end()

# Two samples: every relabelling with combn.
energy <- function(a, b) {
    2 * mean(abs(outer(a, b, "-"))) - mean(abs(outer(a, a, "-"))) - mean(abs(outer(b, b, "-")))
}
p95 <- function(x) sort(x)[ceiling(0.95 * length(x) - 1e-9)]
exact <- function(a, b) {
    all <- c(a, b)
    distance <- function(i) {
        u <- all[i]
        v <- all[-i]
        c(abs(mean(u) - mean(v)), abs(p95(u) - p95(v)), energy(u, v))
    }
    seen <- distance(seq_along(a))
    swaps <- combn(length(all), length(a), distance)
    rowMeans(swaps >= seen * (1 - 1e-9))
}
cat("\nenum { SAMPLE_MAX = 8 };\n")
table_of("two_sample_reference",
         "n_a, n_b, a[SAMPLE_MAX], b[SAMPLE_MAX], mean_p, p95_p, energy_p",
         "every relabelling by combn(): means, values of rank ceiling(0.95 n), energy distances by pairs")
for (s in list(list(c(0, 1, 2, 1, 0, 0), c(0, 0, 0, 0, 0, 0)),
               list(c(3.1, 4.7, 2.2, 8.9, 5.5), c(6.1, 7.9, 9.3, 12.4, 10.1, 8.8)),
               list(c(1, 100, 4, 101, 5, 102, 6), c(10, 10.1, 10.2, 17, 17.1, 17.2, 17.3)),
               list(c(5, 5, 5, 5), c(5, 5, 5, 5))))
    cat("    {", length(s[[1]]), ", ", length(s[[2]]), ", {", paste(number(s[[1]]), collapse = ", "),
        "}, {", paste(number(s[[2]]), collapse = ", "), "}, ",
        paste(number(exact(s[[1]], s[[2]])), collapse = ", "), "},\n", sep = "")
end()

# Pairs: every swap of whole blocks.
cat("\nenum { PAIRS_N = 10 };\n")
table_of("paired_reference", "a[PAIRS_N], b[PAIRS_N], p",
         "one value a side and block; every swap by expand.grid(): difference of the means")
for (s in list(list(c(112, 98, 130, 121, 107, 99, 140, 118, 125, 103),
                    c(101, 97, 118, 119, 100, 101, 122, 117, 110, 99)),
               list(c(112, 98, 130, 121, 107, 99, 140, 118, 125, 103),
                    c(113, 99, 118, 119, 120, 101, 122, 130, 110, 105)))) {
    d <- s[[1]] - s[[2]]
    signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(d))))
    p <- mean(abs(signs %*% d) >= abs(sum(d)) * (1 - 1e-9))
    cat("    {{", paste(s[[1]], collapse = ", "), "}, {", paste(s[[2]], collapse = ", "), "}, ",
        number(p), "},\n", sep = "")
}
end()

table_of("bootstrap_reference", "low, high",
         "paired_reference[0]: 2,000,000 resamples of whole blocks; type-1 quantiles at the risk that t widens to")
set.seed(20240229)
d <- c(112, 98, 130, 121, 107, 99, 140, 118, 125, 103) - c(101, 97, 118, 119, 100, 101, 122, 117, 110, 99)
means <- rowMeans(matrix(sample(d, 2e7, replace = TRUE), ncol = 10))
risk <- pnorm(-qt(0.975, 9) * sqrt(10 / 9))
row(quantile(means, risk, type = 1), quantile(means, 1 - risk, type = 1))
end()

table_of("looks_reference", "share, looks, low", "ceiling(log(0.05) / log(share)); qbeta(0.05, looks, 1)")
for (share in c(0.9, 0.99, 0.999, 0.9999)) {
    n <- ceiling(log(0.05) / log(share))
    row(share, n, qbeta(0.05, n, 1))
}
end()
cat("/* clang-format on */\n")
