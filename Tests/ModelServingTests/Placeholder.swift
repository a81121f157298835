// ModelServingTests
