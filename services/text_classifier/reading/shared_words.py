"""Words of English reports that tell nothing of a language: Latin and Greek that many languages share, or look like."""

_WORDS = """
abnormality active acute adenopathy alveolar annulus aorta aortic apical arteria asbestos atelectases atelectasis
atelectatic azygos basal basilar biapical bibasilar bilateral bilaterally bronchi bronchial bronchiectasis
bronchopneumonia bronchus calcification calcifications calcified carcinoma cardiac cardiomediastinal cardiomegaly
cardiothoracic carina catheter cava comparison comparisons congestion consolidation consolidations contour contours
cor costophrenic definite dextrocardia dextroscoliosis diaphragm diffuse ectasia ectatic edema effusion effusions
emphysema emphysematous excavatum fibrosis fibrothorax fibrotic focal fracture frank granuloma granulomas
granulomatous hemidiaphragm hernia hiatal hila hilar hilum hydropneumothorax infection infiltrate infiltrates
interstitial inversus kyphosis levoscoliosis lingula lingular lobar lobe lymphadenopathy mass mediastinal mediastinum
metastases metastasis metastatic minimal mitral negative no nodular nodule normal oedema opacities opacity osseous
osteopenia parenchyma parenchymal pectus plaque plaques pleura pleural pneumomediastinum pneumonia pneumonias
pneumonitis pneumoperitoneum pneumothoraces pneumothorax portable post pulmonale pulmonary sarcoidosis scoliosis
segmental silhouette silicosis situs stable status sternotomy subsegmental technique thoracic thorax tortuous totalis
trachea tracheal tuberculosis vascular vena visible volume volumes
"""

SHARED_WORDS = frozenset(_WORDS.split())
