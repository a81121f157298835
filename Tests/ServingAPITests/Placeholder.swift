// ServingAPITests
