extension LoweringCatalog {
    /// Every lowering; a new one is one line here.
    package static let standard = LoweringCatalog([
        ViewLowering(),
        WinogradLowering(),
        ConvolutionLowering(),
        ConvolutionTransposeLowering(),
        MatrixProductLowering(),
        RecurrentLowering(),
        AffineLowering(),
        ElementwiseLowering(),
        BinaryLowering(),
        PoolLowering(),
        MeanLowering(),
        ConcatLowering(),
        GatherLowering(),
        TransposeLowering(),
        SliceLowering(),
        ResizeLowering(),
        SoftmaxLowering(),
        LayerNormalizationLowering(),
        GroupNormalizationLowering(),
    ])
}
