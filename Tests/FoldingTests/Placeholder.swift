// FoldingTests
